"""What gateways say, made to fit our columns. A word that is too long must never stop money."""

from urllib.parse import urlsplit

import structlog
from django.db.models import Model

log = structlog.get_logger(__name__)

# Longer than any page address that a gateway documents (Stripe: 5000 characters), and short enough for a redirect.
LONGEST_ADDRESS = 8000


def cut(model: type[Model], field: str, text: str) -> str:
    """Return the text as the field of the model can hold it: cut to its length, without what PostgreSQL refuses.

    Never for an id: half an id names something else.
    """
    length: int | None = getattr(model._meta.get_field(field), "max_length", None)
    return storable(text)[:length]


def storable(text: str) -> str:
    """Return the text without NUL and halves of surrogate pairs, which PostgreSQL cannot store."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def page_address(url: str) -> str:
    """Return the address of a gateway's page if a browser can be sent there, otherwise ""."""
    url = storable(url)
    try:
        is_web = urlsplit(url).scheme in ("http", "https")
    except ValueError:
        is_web = False
    if url and (not is_web or len(url) > LONGEST_ADDRESS):
        log.error("gateway_page_address_not_usable", length=len(url), start=url[:60])
        return ""
    return url

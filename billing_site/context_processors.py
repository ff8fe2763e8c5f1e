"""Template variables that every page needs."""

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.urls import translate_url

from accounts import themes
from core.brand import brand

# Each language in its own words, for readers who know no other.
NAMES = [("en", "English"), ("ru", "Русский")]


def site(request: HttpRequest) -> dict[str, object]:
    """Return the variables of the base template. The language links keep path and query."""
    path = request.get_full_path()
    return {
        "site_name": settings.SITE_NAME,
        "brand": brand(),
        # light, dark, or empty: as the device is.
        "theme": themes.theme_of(request),
        "is_sandbox": "sandbox" in settings.PAYMENT_GATEWAYS,
        # The request id, under which the log has this request.
        "reference": structlog.contextvars.get_contextvars().get("request_id", ""),
        "language_links": [(code, name, translate_url(path, code)) for code, name in NAMES],
    }

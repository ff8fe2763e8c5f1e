"""The pages of a program to which its customers go back after paying: which are allowed, and where one payment leads.

Our own page of the payment, /pay/<payment>/, is where everybody goes back to for whom no program has named another.
"""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.utils.translation import gettext as _

from payments.models import Payment

LONGEST = 500
# Characters that browsers drop or read as another one.
UNSAFE = frozenset(" \\\t\r\n")


def refusal(url: str) -> str:
    """Return why a customer may not be sent to this URL, empty if they may."""
    if is_allowed(url):
        return ""
    origins = ", ".join(_origins())
    return _("Send an address of one of these origins: %s.") % origins


def is_allowed(url: str) -> bool:
    """Return whether the URL is of this site or of an origin in settings.RETURN_ORIGINS."""
    if UNSAFE & set(url) or not url.isascii() or len(url) > LONGEST:
        return False
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return False
    return f"{parts.scheme}://{parts.netloc}".lower() in _origins()


def target(payment: Payment, *, is_paid: bool) -> str:
    """Return where the customer goes back to, with the payment's ids and status; empty if no program has named it.

    The status is only a hint: whoever reads the address can change it. A program asks the API.
    """
    url = payment.success_url if is_paid else payment.cancel_url
    if not url or not is_allowed(url):
        return ""
    told = {"payment_id": payment.reference, "status": str(payment.status)}
    if payment.client_reference_id:
        told["client_reference_id"] = payment.client_reference_id
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in told]
    return urlunsplit(parts._replace(query=urlencode([*kept, *told.items()])))


def _origins() -> list[str]:
    own = urlsplit(settings.SITE_URL)
    return [f"{own.scheme}://{own.netloc}".lower(), *(origin.lower() for origin in settings.RETURN_ORIGINS)]

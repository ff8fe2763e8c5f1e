"""The page that sent the customer to top up, kept in the session so that the payment page can link back to it."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from payments.models import Payment

# Session key of a dict from the payment's idempotency key to the URL.
SESSION_KEY = "next_urls"
# How many URLs are kept; the oldest is dropped first.
KEPT = 5
LONGEST = 300


def from_request(request: HttpRequest) -> str:
    """Return the URL in the query parameter `next`; empty if there is none or it leads off the site."""
    url = request.GET.get("next", "")
    is_ours = url.startswith("/") and len(url) <= LONGEST and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return url if is_ours else ""


def remember(request: HttpRequest, idempotency_key: str) -> None:
    """Keep the request's next URL in the session for the payment with this idempotency key."""
    if url := from_request(request):
        kept = [*request.session.get(SESSION_KEY, {}).items(), (idempotency_key, url)]
        request.session[SESSION_KEY] = dict(kept[-KEPT:])


def for_payment(request: HttpRequest, payment: Payment) -> str:
    """Return the next URL kept for this payment; empty if this session has none."""
    kept: dict[str, str] = request.session.get(SESSION_KEY, {})
    return kept.get(payment.idempotency_key or "", "")

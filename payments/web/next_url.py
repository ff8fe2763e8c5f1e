"""The way back to the page of ours that sent the customer to pay in: kept in the session, by the form that pays."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from payments.models import Payment

KEY = "ways_back"
# So many payments' ways are kept, the last ones.
KEPT = 5
LONGEST = 300


def asked(request: HttpRequest) -> str:
    """Return the way back that the address names in `next`; nothing for one that leads off the site."""
    way = request.GET.get("next", "")
    is_ours = way.startswith("/") and len(way) <= LONGEST and url_has_allowed_host_and_scheme(way, allowed_hosts=None)
    return way if is_ours else ""


def remember(request: HttpRequest, idempotency_key: str) -> None:
    """Keep the way back for the payment that this form makes."""
    if way := asked(request):
        kept = [*request.session.get(KEY, {}).items(), (idempotency_key, way)]
        request.session[KEY] = dict(kept[-KEPT:])


def of(request: HttpRequest, payment: Payment) -> str:
    """Return where the customer came from to make this payment, if he came from a page and in this session."""
    kept: dict[str, str] = request.session.get(KEY, {})
    return kept.get(payment.idempotency_key or "", "")

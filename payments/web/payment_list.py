"""The list of a customer's payments, beside that of transactions: those too that brought no money."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.web.auth import SignedInRequest
from payments.models import Payment
from payments.web.payment_page import PageState, page_state

# Payments on one page.
PAGE = 50

# Tone (a colour), icon and word of each state.
TAGS: dict[PageState, tuple[str, str, str | Promise]] = {
    **dict.fromkeys((PageState.UNOPENED, PageState.CREATED, PageState.ACTION), ("warn", "clock", _("Not finished"))),
    **dict.fromkeys((PageState.PROCESSING, PageState.LATE, PageState.PART_ARRIVED), ("info", "clock", _("On its way"))),
    PageState.CHECKING: ("warn", "alert", _("Being checked")),
    PageState.CLOSING: ("", "x", _("Not needed any more")),
    PageState.SUCCEEDED: ("ok", "check", _("Paid")),
    PageState.PARTLY_REFUNDED: ("ok", "undo", _("Partly refunded")),
    PageState.REFUNDED: ("", "undo", _("Refunded")),
    **dict.fromkeys((PageState.FAILED, PageState.REFUSED), ("bad", "x", _("Declined"))),
    PageState.CANCELLED: ("", "x", _("Not paid")),
    PageState.EXPIRED: ("", "clock", _("Expired")),
}
WITH_RECEIPT = frozenset({PageState.SUCCEEDED, PageState.PARTLY_REFUNDED, PageState.REFUNDED})


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment in the list, and the state of its page."""

    payment: Payment
    state: PageState

    @property
    def tone(self) -> str:
        return TAGS[self.state][0]

    @property
    def icon(self) -> str:
        return TAGS[self.state][1]

    @property
    def word(self) -> str | Promise:
        return TAGS[self.state][2]

    @property
    def has_receipt(self) -> bool:
        return self.state in WITH_RECEIPT


def rows_of(customer: User, *, before: str, limit: int, now: datetime) -> list[PaymentRow]:
    """Return the customer's payments, newest first, those older than the one with the public id `before`."""
    rows = Payment.objects.filter(customer=customer).select_related("plan", "subscription__price__plan").order_by("-id")
    if before:
        last = Payment.objects.filter(customer=customer, public_id=before).values_list("pk", flat=True).first()
        rows = rows.filter(pk__lt=last) if last is not None else rows.none()
    return [PaymentRow(payment, page_state(payment, now=now)) for payment in rows[:limit]]


@require_safe
@login_required
def payments(request: SignedInRequest) -> HttpResponse:
    """Show a page of the payments."""
    rows = rows_of(request.user, before=request.GET.get("before", ""), limit=PAGE + 1, now=timezone.now())
    older = rows[PAGE - 1].payment.public_id if len(rows) > PAGE else ""
    return render(request, "payments/payments.html", {"rows": rows[:PAGE], "older": older})

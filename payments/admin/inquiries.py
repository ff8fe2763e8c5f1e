"""The act "Ask the gateway now" on a payment, a refund, a dispute or a page that saves a method.

That staff ask is recorded before the gateway is asked, the act with its answer afterwards: no transaction is open
meanwhile, and the answer may change rows even if the process ends before it is recorded. Nobody can know before what
the gateway will say, so the form is confirmed without a review. billing_site.middleware limits the time of the answer.
"""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core import idempotency
from core.errors import DomainError
from core.ids import new_id
from core.rehearsal import NOTHING, Fact, Facts
from events import act_titles, staff_acts
from events.admin.review import ActAdmin, ActForm, Result
from events.admin.trace import reason_field
from events.staff_acts import Author
from ledger.display import money
from ledger.money import Money
from payments import inquiries
from payments.inquiries import Inquiry
from payments.models import MethodSetup, Payment
from subscriptions.admin import facts as customer_facts

# The asking alone, which has changed nothing yet.
ASKED = f"{staff_acts.READING}gateway"
act_titles.register(ASKED, _("Asked the gateway"))


class AnsweredForm(ActForm):
    """An act that asks a gateway and applies its answer. `was` has the facts before."""

    has_review = False
    was: Facts | None = None

    reason = reason_field()

    def prepare(self, author: Author, *, now: datetime) -> None:
        """Record that the gateway is asked, once for each page that is sent, and keep the facts."""
        self.was = self.facts(now=now)
        key = idempotency.key_of("form", self.cleaned_data.get("form_key")) or new_id("asked")
        with transaction.atomic():
            staff_acts.hold([self.row], self.customer())
            if staff_acts.find(key) is None:
                staff_acts.record(
                    ASKED, self.logged(), author=author, key=key, customer=self.customer(),
                    reason=self.cleaned_data["reason"],
                )  # fmt: skip

    def before(self, *, now: datetime) -> Facts:
        """Return the facts before the gateway was asked."""
        return self.facts(now=now) if self.was is None else self.was

    def check_that_nobody_has_acted(self) -> None:
        """Let the act pass: it applies what the gateway says, whatever others have done."""


class InquiryForm(AnsweredForm):
    """An inquiry about the row at its gateway."""

    title, kind = _("Ask the gateway now"), "gateway.ask"
    effect = _("We ask the gateway and apply its answer: what was paid is credited, once.")
    inquiry: Inquiry | None = None

    @classmethod
    def obstacle(cls, row: Any) -> str:
        """Return why there is nothing to ask."""
        return "" if inquiries.is_possible(row) else gettext("There is nothing to ask the gateway about.")

    def customer(self) -> User | None:
        """Return the customer, who is that of the payment for a refund or a dispute."""
        found: User = self.row.customer if isinstance(self.row, Payment | MethodSetup) else self.row.payment.customer
        return found

    def facts(self, *, now: datetime) -> Facts:
        """Return the state of the row and what its answer may change for the customer."""
        row, customer = type(self.row).objects.get(pk=self.row.pk), self.customer()
        facts = {
            "status": Fact(gettext("Status"), row.get_status_display()),
            "parked": Fact(gettext("Waits for staff"), row.parked_reason[:300] or NOTHING, quiet=not row.parked_reason),
        }
        if isinstance(row, MethodSetup) or customer is None:
            return facts
        if isinstance(row, Payment):
            fee = money(Money(row.fee, row.received_currency)) if row.fee is not None else NOTHING
            facts["fee"] = Fact(gettext("Fee"), fee, quiet=True)
        return facts | customer_facts.of_customer(customer, row.currency, now=now)

    def prepare(self, author: Author, *, now: datetime) -> None:
        """Record it and ask the gateway. Raises DomainError if there is nothing to ask about."""
        row = type(self.row).objects.get(pk=self.row.pk)
        if obstacle := self.obstacle(row):
            raise DomainError(obstacle)
        super().prepare(author, now=now)
        self.inquiry = inquiries.ask(row, now=now)

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Say what came of it."""
        if self.inquiry is None:
            raise ValueError("The gateway is asked before the act.")
        said, level = _said(self.inquiry)
        return Result(said, level=level)


class InquiryAdmin(ActAdmin):
    """An admin of rows that a gateway can be asked about."""

    acts = {"ask": InquiryForm}


def _said(inquiry: Inquiry) -> tuple[str, int]:
    """Return what came of an inquiry, in a sentence or two, and the level of the message."""
    row, state = inquiry.after, inquiry.after.get_status_display()
    words = {"gateway": row.gateway, "id": row.public_id, "state": state, "error": inquiry.error}
    words["before"] = inquiry.before.get_status_display()
    if inquiry.error:
        said, level = gettext("%(gateway)s did not answer: %(error)s %(id)s is %(state)s."), messages.WARNING
    elif inquiry.before.status != row.status:
        said, level = gettext("%(id)s was %(before)s and is %(state)s now."), messages.SUCCESS
    else:
        said, level = gettext("%(gateway)s has answered. %(id)s is still %(state)s."), messages.INFO
    return " ".join(filter(None, (said % words, _fee(inquiry), _unparked(inquiry), row.parked_reason))), level


def _unparked(inquiry: Inquiry) -> str:
    """Return why the row waited for staff, if it does not any more; empty otherwise."""
    if not inquiry.unparked:
        return ""
    said = gettext("It was not asked about any more (%(reason)s). From now on it is asked about again.")
    return said % {"reason": inquiry.unparked}


def _fee(inquiry: Inquiry) -> str:
    """Return the fee that the answer has brought; empty if none."""
    before, after = inquiry.before, inquiry.after
    if not isinstance(before, Payment) or not isinstance(after, Payment) or after.fee == before.fee:
        return ""
    return gettext("The fee of %(fee)s is posted.") % {"fee": money(Money(after.fee or 0, after.received_currency))}

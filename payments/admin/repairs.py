"""The act "Mend" on a discrepancy: the gateway is asked again and its answer applied, where that is safe."""

from datetime import datetime

from django.contrib import messages
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.rehearsal import NOTHING, Fact, Facts
from events.admin.review import Result
from events.staff_acts import Author
from payments import remedies
from payments.admin.inquiries import AnsweredForm
from payments.models import Discrepancy
from payments.remedies import Remedy
from subscriptions.admin import facts as customer_facts

# What staff read about each remedy.
ADVICE: dict[Remedy, str | Promise] = {
    Remedy.NOTHING: "",
    Remedy.ASK: _("Ask the gateway again and take over its answer. If that mends nothing, see the outcome."),
    Remedy.DECIDE: _("Open the payment and accept what was taken, or send it back."),
    Remedy.CORRECT: _(
        "Compare with the gateway's page of the payment. If what we have booked is wrong, correct the balance."
    ),
    Remedy.FIND_PAYER: _(
        "Find out who paid. Credit the customer by a correction, or refund on the gateway's pages. Nothing is to be "
        "done if another shop uses the same account."
    ),
    Remedy.REFUND_THERE: _("The customer has paid twice. Refund this payment on the gateway's pages."),
    Remedy.FIND_MONEY: _("The gateway has given this payment no id, so it cannot be asked. Look for it on its pages."),
}


class MendForm(AnsweredForm):
    """The mending of a discrepancy, which is the row."""

    title, kind, permission = _("Mend"), "discrepancy.mend", "payments.change_discrepancy"
    effect = ADVICE[Remedy.ASK]

    @classmethod
    def obstacle(cls, row: Discrepancy) -> str:
        """Return why it is not mended here."""
        remedy = remedies.of(row)
        if remedy is Remedy.ASK:
            return ""
        return gettext("It is mended already.") if remedy is Remedy.NOTHING else str(ADVICE[remedy])

    def customer(self) -> User | None:
        """Return the customer of the payment, if we know it."""
        payment = remedies.payment_of(self.row)
        return payment.customer if payment else None

    def facts(self, *, now: datetime) -> Facts:
        """Return what has become of the discrepancy, and the payment with its customer."""
        row = Discrepancy.objects.select_related("report", "payment__customer").get(pk=self.row.pk)
        payment = remedies.payment_of(row)
        facts = {
            "mended": Fact(gettext("Mended"), gettext("yes") if row.is_mended else gettext("no")),
            "outcome": Fact(gettext("Outcome"), row.outcome or NOTHING),
        }
        if payment is None:
            return facts
        facts["payment"] = Fact(gettext("Payment"), payment.get_status_display())
        return facts | customer_facts.of_customer(payment.customer, payment.currency, now=now)

    def prepare(self, author: Author, *, now: datetime) -> None:
        """Record it, ask the gateway and apply its answer."""
        super().prepare(author, now=now)
        self.row = remedies.mend(self.row, by=author.user, now=now)

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Say what came of it."""
        said = self.row.outcome or str(ADVICE[remedies.of(self.row)])
        return Result(said, level=messages.SUCCESS if self.row.is_mended else messages.WARNING)

    def page(self) -> str:
        """Return the page of the report, which has the others."""
        return reverse("admin:payments_gatewayreport_change", args=[self.row.report_id])

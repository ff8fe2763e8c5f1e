"""The forms in which staff record bank transfers and cash, and close their refunds (payments.bank_transfers)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.rehearsal import Fact, Facts
from events.admin.review import ActForm, Result, SeenForm
from events.admin.trace import reason_field
from ledger.display import money
from ledger.money import Money, NotMoney
from payments import bank_transfers
from payments.admin.payments import status_of
from payments.bank_transfers import Arrival, Done
from payments.gateways.manual import details, transfers
from payments.gateways.manual.models import ManualReceipt, ManualRefund, ManualTransfer
from payments.gateways.manual.transfers import TransferChanged
from payments.models import Payment
from payments.web import amount_input
from subscriptions.admin import facts as customer_facts

LATER, ACCEPT = "later", "accept"


class TransferForm(SeenForm):
    """An act on a transfer. Staff decide by the sum that has arrived."""

    def figure(self) -> int:
        """Return the sum that has arrived."""
        return transfers.arrived(self.transfer)

    @property
    def transfer(self) -> ManualTransfer:
        """The transfer, which this act is about."""
        transfer: ManualTransfer = self.row
        return transfer

    def customer(self) -> User | None:
        """Return the customer whose payment it is."""
        payment = bank_transfers.payment_of(self.transfer)
        return payment.customer if payment else None

    def act(self, by: User, *, now: datetime) -> Done:
        """Call the domain. Raises TransferRefused, TransferChanged."""
        raise NotImplementedError

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Do it. If the transfer has changed, take over the sum that has arrived and raise Changed."""
        try:
            done = self.act(by, now=now)
        except TransferChanged as error:
            raise self.changed(error) from error
        arrived = money(Money(self.figure(), self.transfer.currency))
        said = gettext("Arrived for transfer %(transfer)s: %(amount)s.")
        return Result(f"{said % {'transfer': self.transfer, 'amount': arrived}} {_state(done)}".strip(), done.is_news)

    def facts(self, *, now: datetime) -> Facts:
        """Return the sums and states of the transfer, its payment and its customer."""
        transfer = ManualTransfer.objects.get(pk=self.transfer.pk)
        arrived = Money(transfers.arrived(transfer), transfer.currency)
        facts = {
            "expected": Fact(gettext("Expected"), money(transfer.money)),
            "arrived": Fact(gettext("Arrived"), money(arrived)),
            "transfer": Fact(gettext("Transfer"), transfer.get_status_display()),
        }
        payment = bank_transfers.payment_of(transfer)
        if payment is None:
            return facts
        facts["payment"] = Fact(gettext("Payment"), status_of(payment))
        return facts | customer_facts.of_customer(payment.customer, transfer.currency, now=now)


class RecordForm(TransferForm):
    """Money that arrived: the whole sum, a part or more."""

    title = _("Record money")
    kind = "transfer.record"
    effect = _("What has arrived on the bank account or in cash. The whole sum pays at once for what was ordered.")

    amount = forms.CharField(
        label=_("Amount"), max_length=40, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    )
    currency = forms.ChoiceField(label=_("Currency"))
    received_on = forms.DateField(
        label=_("Received on"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    bank_reference = forms.CharField(
        label=_("Bank reference"), max_length=64, help_text=_("The bank's number, or that of the cash voucher.")
    )
    note = forms.CharField(label=_("Payer's note"), max_length=200, required=False)
    difference = forms.ChoiceField(
        label=_("If it is not the whole sum"),
        choices=[
            (LATER, _("Wait, or decide later")),
            (ACCEPT, _("Accept and credit it")),
        ],
        help_text=_("Less waits for the rest, more waits for a decision. What is accepted is credited to the balance."),
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=200, required=False,
        help_text=_("Needed to accept another sum. The customer reads it."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        known = dict.fromkeys([self.transfer.currency, *details.currencies()])
        field = self.fields["currency"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each, each) for each in known]
        missing = Money(max(self.transfer.amount - transfers.arrived(self.transfer), 0), self.transfer.currency)
        self.fields["amount"].help_text = gettext("Missing: %(amount)s.") % {"amount": money(missing)}

    @classmethod
    def obstacle(cls, row: ManualTransfer) -> str:
        """Return why nothing more can be recorded."""
        return _complete_already(row)

    def clean(self) -> dict[str, Any]:
        """Return the amount in minor units; ask for a reason where another sum is accepted."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "amount" in cleaned and "currency" in cleaned:
            cleaned["amount"] = self._minor_units(cleaned["amount"], cleaned["currency"])
        if cleaned.get("difference") == ACCEPT and not cleaned.get("reason"):
            self.add_error("reason", gettext("Give a reason."))
        return cleaned

    def act(self, by: User, *, now: datetime) -> Done:
        """Record the money."""
        sent = self.cleaned_data
        money_in = Money(sent["amount"], sent["currency"])
        arrival = Arrival(money_in, sent["received_on"], sent["bank_reference"], sent["note"])
        return bank_transfers.record(
            self.transfer, arrival, accepts=sent["difference"] == ACCEPT, reason=sent["reason"], seen=sent["seen"],
            by=by, now=now,
        )  # fmt: skip

    def _minor_units(self, text: str, currency: str) -> int:
        try:
            return amount_input.parse(text, currency).amount
        except amount_input.Unclear as unclear:
            self.add_error("amount", str(unclear))
            return 0
        except NotMoney:
            said = gettext("'%(text)s' is not an amount in %(currency)s. Write it like %(example)s.")
            words = {"text": text, "currency": currency, "example": self.transfer.money.plain()}
            self.add_error("amount", said % words)
            return 0


class CompleteForm(TransferForm):
    """The end of a transfer that was paid in part."""

    title = _("Complete")
    kind = "transfer.complete"
    effect = _("Nothing more will arrive for this transfer. It counts with what has arrived.")

    decision = forms.ChoiceField(
        label=_("What has arrived"),
        choices=[
            (ACCEPT, _("Accept and credit it")),
            (LATER, _("Decide later")),
        ],
        help_text=_("What is accepted is credited to the balance. To send it back, decide on the page of the payment."),
    )
    reason = reason_field(_("The customer reads it."))

    @classmethod
    def obstacle(cls, row: ManualTransfer) -> str:
        """Return why the transfer cannot be completed."""
        nothing = "" if transfers.arrived(row) else gettext("Nothing has arrived for this transfer.")
        return _complete_already(row) or nothing

    def act(self, by: User, *, now: datetime) -> Done:
        """Complete the transfer."""
        sent = self.cleaned_data
        return bank_transfers.complete(
            self.transfer, accepts=sent["decision"] == ACCEPT, reason=sent["reason"], seen=sent["seen"], by=by, now=now
        )


class VoidForm(TransferForm):
    """The end of a receipt that was recorded by mistake."""

    title = _("Void")
    kind = "receipt.void"
    effect = _(
        "Use it for a mistake. The receipt does not count any more, and its bank reference can be used again. If its "
        "money was credited, it is taken back from the balance, and what is spent of it becomes a debt."
    )

    reason = reason_field()

    @property
    def transfer(self) -> ManualTransfer:
        """The transfer of the receipt."""
        receipt: ManualReceipt = self.row
        return receipt.transfer

    @classmethod
    def obstacle(cls, row: ManualReceipt) -> str:
        """Return why the receipt cannot be voided."""
        return "" if row.voided_at is None else gettext("This receipt is void already.")

    def act(self, by: User, *, now: datetime) -> Done:
        """Void the receipt."""
        sent = self.cleaned_data
        return bank_transfers.void(self.row, reason=sent["reason"], seen=sent["seen"], by=by, now=now)

    def logged(self) -> Sequence[Any]:
        """Return the receipt and its transfer."""
        return [self.row, self.transfer]


class RefundForm(ActForm):
    """An act on a refund that staff carry out at the bank."""

    @classmethod
    def obstacle(cls, row: ManualRefund) -> str:
        """Return why the refund cannot be closed."""
        if row.status == ManualRefund.Status.PENDING:
            return ""
        return gettext("This refund is closed already: %(status)s.") % {"status": row.get_status_display()}

    def customer(self) -> User | None:
        """Return the customer whose refund it is."""
        refund = bank_transfers.refund_of(self.row)
        return refund.payment.customer if refund else None

    def act(self, by: User, *, now: datetime) -> Done:
        """Call the domain. Raises TransferRefused."""
        raise NotImplementedError

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Close the refund."""
        done = self.act(by, now=now)
        row = ManualRefund.objects.select_related("transfer").get(pk=self.row.pk)
        words = {"amount": money(row.money), "status": row.get_status_display()}
        return Result(f"{gettext('Refund of %(amount)s: %(status)s.') % words} {_state(done)}".strip(), done.is_news)

    def facts(self, *, now: datetime) -> Facts:
        """Return the states of the refund and of its customer."""
        row = ManualRefund.objects.select_related("transfer").get(pk=self.row.pk)
        facts = {
            "amount": Fact(gettext("Amount"), money(row.money)),
            "refund": Fact(gettext("Refund"), row.get_status_display()),
        }
        ours = bank_transfers.refund_of(row)
        if ours is None:
            return facts
        facts["payment"] = Fact(gettext("Payment"), status_of(ours.payment))
        return facts | customer_facts.of_customer(ours.payment.customer, ours.currency, now=now)

    def logged(self) -> Sequence[Any]:
        """Return the refund and its transfer."""
        return [self.row, self.row.transfer]


class SentForm(RefundForm):
    """A refund that was sent."""

    title = _("Mark as sent")
    kind = "transfer_refund.sent"
    effect = _("The money has left the bank account or the cash desk.")

    bank_reference = forms.CharField(
        label=_("Bank reference"), max_length=64, help_text=_("The bank's number, or that of the cash voucher.")
    )

    def act(self, by: User, *, now: datetime) -> Done:
        """Mark the refund as sent."""
        return bank_transfers.mark_sent(self.row, bank_reference=self.cleaned_data["bank_reference"], by=by, now=now)


class FailedForm(RefundForm):
    """A refund that cannot be sent."""

    title = _("Mark as failed")
    kind = "transfer_refund.failed"
    effect = _("The money cannot be sent back. What the balance has paid for it returns to the balance.")

    reason = reason_field()

    def act(self, by: User, *, now: datetime) -> Done:
        """Mark the refund as failed."""
        return bank_transfers.mark_failed(self.row, reason=self.cleaned_data["reason"], by=by, now=now)


def _complete_already(transfer: ManualTransfer) -> str:
    if transfer.status != ManualTransfer.Status.RECEIVED:
        return ""
    return gettext("This transfer is complete already. Credit what came later to the customer's balance instead.")


def _state(done: Done) -> str:
    """Return the state of the payment or refund, in a sentence; empty if there is none."""
    if done.row is None:
        return ""
    if isinstance(done.row, Payment):
        state = status_of(done.row)
        return gettext("Payment %(id)s: %(state)s.") % {"id": done.row.public_id, "state": state}
    state = done.row.get_status_display()
    return gettext("Refund %(id)s: %(state)s.") % {"id": done.row.public_id, "state": state}

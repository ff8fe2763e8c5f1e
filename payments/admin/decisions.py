"""What staff decide about a payment: refund it, or accept or send back the money of a parked one.

Each decision has a page of its own, which shows what will change and asks for a reason (payments.admin.acts).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core import idempotency
from core.errors import DomainError
from core.rehearsal import NOTHING, Fact, Facts
from events.admin.review import ActForm, Result, SeenForm
from events.admin.trace import reason_field
from ledger.display import money
from ledger.models import Account
from ledger.money import Money, NotMoney
from payments import bank_transfers, mismatches, refunds, transitions
from payments.admin.inquiries import InquiryAdmin, InquiryForm
from payments.admin.payments import PaymentAdmin, status_of
from payments.admin.transfer_forms import RecordForm
from payments.gateways.manual.models import ManualTransfer
from payments.models import Payment, Refund
from subscriptions.admin import facts as customer_facts
from subscriptions.refusals import INSUFFICIENT_FUNDS, Refused

Link = tuple[str | Promise, str]


class DecisionForm(ActForm):
    """A decision about a payment, with its reason. `refund` is the refund that it has made, if any."""

    reason = reason_field(_("The customer reads it."))
    refund: Refund | None = None

    @property
    def payment(self) -> Payment:
        """The payment as it was when the page was asked for."""
        payment: Payment = self.row
        return payment

    def facts(self, *, now: datetime) -> Facts:
        """Return the sums and the state of the payment and of its customer."""
        payment = Payment.objects.select_related("customer").get(pk=self.payment.pk)
        currency = payment.received_currency or payment.currency
        facts = {
            "payment": Fact(gettext("Payment"), status_of(payment)),
            "requested": Fact(gettext("Requested"), money(payment.money)),
            "received": Fact(gettext("Received"), money(payment.received) if payment.received else NOTHING),
            "refunded": Fact(gettext("Refunded"), money(payment.refunded)),
            "left": Fact(gettext("Can be refunded"), money(Money(payment.refundable, currency))),
        }
        return facts | customer_facts.of_customer(payment.customer, currency, now=now)

    def logged(self) -> Sequence[Any]:
        """Return the payment and its new refund."""
        return [self.payment, self.refund] if self.refund else [self.payment]

    def finish(self, result: Result, *, now: datetime) -> Result:
        """Send the new refund to its gateway, if there is one to send."""
        if self.refund is None or not result.is_news or self.refund.status != Refund.Status.PENDING:
            return result
        return self.result_of(refunds.send(self.refund, now=now), is_news=True)

    def result_of(self, refund: Refund, *, is_news: bool) -> Result:
        """Keep the refund for the log and say what became of it."""
        self.refund = refund
        words = {"amount": money(refund.money), "state": refund.get_status_display(), "id": refund.public_id}
        return Result(gettext("Refund %(id)s of %(amount)s is %(state)s.") % words, is_news)


class RefundForm(SeenForm, DecisionForm):
    """A refund of the whole payment or a part. Staff decide by what has been refunded of it before."""

    title = _("Refund")
    kind, permission = "payment.refund", "payments.refund_payment"
    effect = _("A refund to the card is taken from the customer's balance first and is refused if the money is spent.")

    amount = forms.CharField(
        label=_("Amount"), max_length=40, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    )
    destination = forms.ChoiceField(
        label=_("Where to"),
        choices=[
            (Refund.Destination.CARD, _("To the card or account it was paid from, taken from the balance")),
            (Refund.Destination.WALLET, _("To the balance, as money of the seller")),
        ],
    )
    field_order = ["form_key", "seen_act", "seen", "amount", "destination", "reason"]

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        left = Money(self.payment.refundable, self.payment.received_currency or self.payment.currency)
        self.initial["amount"] = left.plain()
        self.fields["amount"].help_text = gettext("At most %(left)s.") % {"left": money(left)}

    @classmethod
    def obstacle(cls, row: Payment) -> str:
        """Return why nothing of the payment can be refunded. A page of many payments may have read the disputes."""
        if row.status != Payment.Status.CONFIRMED or row.refundable <= 0:
            return gettext("Nothing of this payment can be refunded.")
        known: bool | None = getattr(row, "has_dispute", None)
        is_disputed = refunds.disputes_of(row.pk).exists() if known is None else known
        return str(refunds.TAKEN_BACK) if is_disputed else ""

    def figure(self) -> int:
        """Return what has been refunded."""
        return Payment.objects.values_list("amount_refunded", flat=True).get(pk=self.payment.pk)

    def answers(self) -> list[tuple[str, str]]:
        """Return what was filled in, the amount with its currency."""
        (label, _text), *others = super().answers()
        return [(label, money(Money(self.cleaned_data["amount"], self.payment.received_currency))), *others]

    def clean_amount(self) -> int:
        """Return the amount in minor units of what was received."""
        try:
            return Money.parse(self.cleaned_data["amount"].strip(), self.payment.received_currency).amount
        except NotMoney as error:
            raise forms.ValidationError(str(error)) from error

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Make the refund without sending it."""
        refund = self._create(by, now=now)
        return self.result_of(refund, is_news=refund.created_at == now)

    def _create(self, by: User, *, now: datetime) -> Refund:
        sent = self.cleaned_data
        try:
            return refunds.create(
                self.payment, amount=sent["amount"], destination=Refund.Destination(sent["destination"]),
                reason=sent["reason"], author=by, idempotency_key=idempotency.key_of("form", sent["form_key"]),
                seen=sent["seen"], now=now,
            )  # fmt: skip
        except refunds.RefundChanged as error:
            raise self.changed(error) from error
        except Refused as error:
            if error.code != INSUFFICIENT_FUNDS:
                raise
            raise self._too_much() from error

    def _too_much(self) -> DomainError:
        """Return what staff are told if the balance cannot pay. Customers are asked to top up instead."""
        currency = self.payment.received_currency or self.payment.currency
        wallet = Account.objects.filter(
            owner=self.payment.customer, kind=Account.Kind.WALLET, currency=currency
        ).first()
        said = gettext(
            "The balance is %(balance)s: at most that goes back to the card. To refund more, credit the balance first."
        )
        balance = money(Money(wallet.balance or 0 if wallet else 0, currency))
        return DomainError(said % {"balance": balance}, param="amount")


class ParkedForm(DecisionForm):
    """A decision about what a parked payment has brought."""

    @classmethod
    def obstacle(cls, row: Payment) -> str:
        """Return why there is nothing to decide."""
        is_parked = bool(row.parked_reason) and row.received is not None and not row.amount_refunded
        return "" if is_parked else gettext("This payment does not wait for a decision.")


class AcceptForm(ParkedForm):
    """The acceptance of what a parked payment has brought."""

    title = _("Accept as top-up")
    kind, permission = "payment.accept", "payments.decide_payment"
    effect = _("What the gateway took is credited to the customer's balance. The order waits on for its own payment.")

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Credit the money as a top-up, or find that it is credited."""
        try:
            payment = mismatches.accept(self.payment, author=by, reason=self.cleaned_data["reason"], now=now)
            is_news = True
        except mismatches.NotParked:
            payment, is_news = Payment.objects.get(pk=self.payment.pk), False
            if payment.status != Payment.Status.CONFIRMED:
                raise
        assert payment.received is not None
        said = gettext("%(amount)s was credited to the balance.")
        return Result(said % {"amount": money(payment.received)}, is_news)


class SendBackForm(ParkedForm):
    """The return of what a parked payment has brought."""

    title = _("Send back")
    kind, permission = "payment.send_back", "payments.decide_payment"
    effect = _("What the gateway took goes back to the card or account. The balance is not touched.")

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Make the refund that returns the money, or find that there is one."""
        try:
            refund, is_news = (
                mismatches.create_return(self.payment, author=by, reason=self.cleaned_data["reason"], now=now),
                True,
            )
        except mismatches.NotParked:
            before = self.payment.refunds.filter(is_from_wallet=False).exclude(status=Refund.Status.FAILED).first()
            if before is None:
                raise
            refund, is_news = before, False
        return self.result_of(refund, is_news=is_news)


@admin.register(Payment)
class DecisionsAdmin(InquiryAdmin, PaymentAdmin):
    """Payments with the pages of the decisions about them."""

    acts = {"refund": RefundForm, "accept": AcceptForm, "send-back": SendBackForm, "ask": InquiryForm}

    def links(self, request: HttpRequest, row: Payment) -> list[Link]:
        """Return the acts that are possible now, and the bank transfer of the payment if it has one."""
        return self._with_transfer(request, super().links(request, row), bank_transfers.transfer_of(row))

    def links_with(self, request: HttpRequest, row: Payment, transfer: ManualTransfer | None) -> list[Link]:
        """Return the same for a row of a list, without a query. Asking about a payment that is closed is left out."""
        links = super().links(request, row)
        if row.status not in transitions.OPEN:
            links = [link for link in links if link[0] != InquiryForm.title]
        return self._with_transfer(request, links, transfer)

    def _with_transfer(self, request: HttpRequest, links: list[Link], transfer: ManualTransfer | None) -> list[Link]:
        user = cast(User, request.user)
        if transfer is None or not user.has_perm("manual.view_manualtransfer"):
            return links
        if user.has_perm("manual.change_manualtransfer") and not RecordForm.obstacle(transfer):
            links.append((RecordForm.title, reverse("admin:manual_manualtransfer_record", args=[transfer.pk])))
        return [*links, (_("Bank transfer"), reverse("admin:manual_manualtransfer_change", args=[transfer.pk]))]

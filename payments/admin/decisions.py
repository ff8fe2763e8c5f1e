"""What staff decide about a payment: refund it, or accept or send back the money of a parked one.

Each decision has a page of its own, which shows what will happen and asks for a reason. A page sent twice acts once.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core import idempotency
from core.errors import DomainError
from core.ids import new_id
from ledger import statements
from ledger.display import money
from ledger.models import Account
from ledger.money import Money, NotMoney
from payments import bank_transfers, mismatches, refunds
from payments.admin.inquiries import InquiryAdmin
from payments.admin.payments import PaymentAdmin
from payments.models import Payment, Refund


class DecisionForm(forms.Form):
    """A decision with its reason."""

    form_key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_("The customer reads it."))

    def __init__(self, data: Any = None, *, payment: Payment) -> None:
        super().__init__(data, initial={"form_key": new_id("form")})
        self.payment = payment

    def carry_out(self, author: User) -> str:
        """Do what was decided and return the message for staff. Raises a DomainError."""
        raise NotImplementedError


class RefundForm(DecisionForm):
    """A refund of the whole payment or a part."""

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
    field_order = ["form_key", "amount", "destination", "reason"]

    def __init__(self, data: Any = None, *, payment: Payment) -> None:
        super().__init__(data, payment=payment)
        left = Money(payment.refundable, payment.received_currency or payment.currency)
        self.initial["amount"] = left.plain()
        self.fields["amount"].help_text = gettext("At most %(left)s.") % {"left": money(left)}

    def clean_amount(self) -> int:
        """Return the amount in minor units of what was received."""
        try:
            return Money.parse(self.cleaned_data["amount"].strip(), self.payment.received_currency).amount
        except NotMoney as error:
            raise forms.ValidationError(str(error)) from error

    def carry_out(self, author: User) -> str:
        """Issue the refund."""
        sent = self.cleaned_data
        refund = refunds.issue(
            self.payment, amount=sent["amount"], destination=Refund.Destination(sent["destination"]),
            reason=sent["reason"], author=author, idempotency_key=idempotency.key_of("form", sent["form_key"]),
            now=timezone.now(),
        )  # fmt: skip
        words = {"amount": money(refund.money), "state": refund.get_status_display(), "id": refund.public_id}
        return gettext("Refund %(id)s of %(amount)s is %(state)s.") % words


class AcceptForm(DecisionForm):
    """The acceptance of what a parked payment has brought."""

    def carry_out(self, author: User) -> str:
        """Credit the money as a top-up."""
        reason = self.cleaned_data["reason"]
        payment = mismatches.accept(self.payment, author=author, reason=reason, now=timezone.now())
        assert payment.received is not None
        return gettext("%(amount)s was credited to the balance.") % {"amount": money(payment.received)}


class SendBackForm(DecisionForm):
    """The return of what a parked payment has brought."""

    def carry_out(self, author: User) -> str:
        """Send the money back through the gateway."""
        reason = self.cleaned_data["reason"]
        refund = mismatches.send_back(self.payment, author=author, reason=reason, now=timezone.now())
        words = {"amount": money(refund.money), "state": refund.get_status_display(), "id": refund.public_id}
        return gettext("Refund %(id)s of %(amount)s is %(state)s.") % words


def _is_refundable(payment: Payment) -> bool:
    return payment.status == Payment.Status.CONFIRMED and payment.refundable > 0


def _is_parked(payment: Payment) -> bool:
    return bool(payment.parked_reason) and payment.received is not None and not payment.amount_refunded


class Decision(NamedTuple):
    """One decision: its name in the URL, its title, its form, when it is possible, and what it does."""

    name: str
    title: str | Promise
    form: type[DecisionForm]
    is_possible: Callable[[Payment], bool]
    effect: str | Promise


DECISIONS = {
    decision.name: decision
    for decision in (
        Decision(
            "refund", _("Refund"), RefundForm, _is_refundable,
            _("A refund to the card is taken from the customer's balance first and is refused if the money is spent."),
        ),
        Decision(
            "accept", _("Accept as top-up"), AcceptForm, _is_parked,
            _("What the gateway took is credited to the customer's balance. The order waits on for its own payment."),
        ),
        Decision(
            "send_back", _("Send back"), SendBackForm, _is_parked,
            _("What the gateway took goes back to the card or account. The balance is not touched."),
        ),
    )
}  # fmt: skip


@admin.register(Payment)
class DecisionsAdmin(InquiryAdmin, PaymentAdmin):
    """Payments with the pages of the decisions about them."""

    def get_urls(self) -> list[URLPattern]:
        """Add a page for each decision."""
        pages = [
            path(
                f"<int:pk>/{name.replace('_', '-')}/",
                self.admin_site.admin_view(self.decide),
                {"name": name},
                name=f"payments_payment_{name}",
            )
            for name in DECISIONS
        ]
        return [*pages, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Render the page with links to the decisions that are possible now."""
        payment = options.get("obj")
        possible = [
            (each.title, reverse(f"admin:payments_payment_{each.name}", args=[payment.pk]))
            for each in DECISIONS.values()
            if payment is not None and self.has_act_permission(request) and each.is_possible(payment)
        ]
        transfer = bank_transfers.transfer_of(payment) if payment is not None else None
        if transfer is not None and cast(User, request.user).has_perm("manual.view_manualtransfer"):
            possible.append((_("Bank transfer"), reverse("admin:manual_manualtransfer_change", args=[transfer.pk])))
        return super().render_change_form(request, context | {"decisions": possible}, *args, **options)

    def decide(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Show what a decision does, and carry it out when it is sent."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        if name not in DECISIONS:
            raise Http404
        decision = DECISIONS[name]
        payment = get_object_or_404(Payment.objects.select_related("customer", "plan"), pk=pk)
        form = decision.form(request.POST or None, payment=payment)
        back = reverse("admin:payments_payment_change", args=[payment.pk])
        if request.method == "POST" and form.is_valid() and self._carried_out(request, form):
            return HttpResponseRedirect(back, status=303)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": decision.title, "payment": payment,
            "form": form, "decision": decision, "back": back, "balance": money(_balance(payment)),
            "is_possible": decision.is_possible(payment), "left": money(Money(payment.refundable, _currency(payment))),
        }  # fmt: skip
        return TemplateResponse(request, "admin/payments/decision.html", context)

    def _carried_out(self, request: HttpRequest, form: DecisionForm) -> bool:
        """Carry the decision out and tell staff. Return False with an error in the form if it is refused."""
        try:
            self.message_user(request, form.carry_out(cast(User, request.user)), messages.SUCCESS)
        except mismatches.NotParked as error:
            # The second of two clicks finds it decided. The page of the payment shows how.
            self.message_user(request, error.detail, messages.WARNING)
        except DomainError as error:
            form.add_error(None, error.detail)
            return False
        return True


def _currency(payment: Payment) -> str:
    return payment.received_currency or payment.currency


def _balance(payment: Payment) -> Money:
    """Return the customer's balance in the currency that was received."""
    currency = _currency(payment)
    wallet = Account.objects.filter(owner=payment.customer, kind=Account.Kind.WALLET, currency=currency).first()
    return Money(statements.balance(wallet.pk) if wallet else 0, currency)

"""Staff credit, debit and write off by hand on the page of a customer."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core import idempotency
from core.rehearsal import Fact, Facts
from events.admin.review import ActForm, Result
from events.admin.trace import reason_field
from ledger.display import money
from ledger.models import Account
from ledger.money import EXPONENTS, Money, NotMoney
from payments import adjustments
from payments.gateways import registry
from payments.models import Adjustment
from payments.web import amount_input
from subscriptions.admin import facts as customer_facts

Kind, Status = Adjustment.Kind, Adjustment.Status
WALLET, DEBT = Account.Kind.WALLET, Account.Kind.DEBT


class AdjustmentForm(ActForm):
    """An adjustment of a customer, who is the row."""

    adjustment_kind: ClassVar[Adjustment.Kind]
    # The attribute of a customer that says whether it is possible, if that was read before.
    known_as: ClassVar[str] = ""
    permission = "payments.add_adjustment"

    amount = forms.CharField(
        label=_("Amount"), max_length=40, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    )
    currency = forms.ChoiceField(label=_("Currency"))
    reason = reason_field(_("The customer reads it."))
    adjustment: Adjustment | None = None

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        field = self.fields["currency"]
        assert isinstance(field, forms.ChoiceField)
        choices = [(each, each) for each in self.currencies(row)]
        # Nobody gives 500 euros for 500 roubles by leaving a field as it was.
        has_several = len({account.currency for account in _accounts(row) if account.balance}) > 1
        field.choices = [("", gettext("Choose")), *choices] if has_several else choices
        limits = ", ".join(money(adjustments.limit(each)) for each in settings.STAFF_CREDIT_LIMIT if each in EXPONENTS)
        said = gettext("Alone you may give or take within 24 hours: %(limits)s. More takes a second person.")
        self.fields["amount"].help_text = said % {"limits": limits or "0"}

    @classmethod
    def currencies(cls, customer: User) -> list[str]:
        """Return the customer's currencies, first those in which there is something to adjust, and money or a debt."""
        accounts = sorted(_accounts(customer), key=lambda account: (not cls.is_subject(account), not account.balance))
        return list(dict.fromkeys(account.currency for account in accounts))

    @classmethod
    def is_possible(cls, customer: User) -> bool:
        """Tell whether there is something to adjust. A page of many acts may have read that with the customer."""
        known: bool | None = getattr(customer, cls.known_as, None) if cls.known_as else None
        if known is not None:
            return known
        return any(cls.is_subject(account) for account in _accounts(customer))

    @classmethod
    def is_subject(cls, account: Account) -> bool:
        """Tell whether something of this account can be adjusted."""
        raise NotImplementedError

    def customer(self) -> User:
        """Return the row itself."""
        customer: User = self.row
        return customer

    def clean(self) -> dict[str, Any]:
        """Return the amount in minor units."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "amount" in cleaned and "currency" in cleaned:
            text, currency = cleaned["amount"], cleaned["currency"]
            try:
                cleaned["amount"] = amount_input.parse(text, currency).amount
            except amount_input.Unclear as unclear:
                self.add_error("amount", str(unclear))
            except NotMoney:
                said = gettext("'%(text)s' is not an amount in %(currency)s. Write it like %(example)s.")
                example = Money(500_00, currency).plain()
                self.add_error("amount", said % {"text": text, "currency": currency, "example": example})
        return cleaned

    def facts(self, *, now: datetime) -> Facts:
        """Return the saved balances and debts; once it is known, the whole state in the currency."""
        currency = getattr(self, "cleaned_data", {}).get("currency")
        if not currency or self.errors:
            return {str(each.pk): _fact(each) for each in _accounts(self.customer()) if each.balance}
        waiting = Adjustment.objects.filter(customer=self.customer(), status=Status.WAITING, currency=currency)
        texts = [f"{each.get_kind_display()} {money(each.money)}" for each in waiting.order_by("id")]
        facts = customer_facts.of_customer(self.customer(), currency, now=now)
        return facts | {"waiting": Fact(gettext("Waits for a second person"), ", ".join(texts), quiet=True)}

    def logged(self) -> Sequence[Any]:
        """Return the customer and the new adjustment."""
        return [self.row, self.adjustment] if self.adjustment else [self.row]

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Carry it out or let it wait, or find that this was done."""
        sent = self.cleaned_data
        self.adjustment = row = adjustments.ask(
            self.customer(), kind=self.adjustment_kind, money=Money(sent["amount"], sent["currency"]),
            reason=sent["reason"], author=by, idempotency_key=idempotency.key_of("form", sent["form_key"]), now=now,
        )  # fmt: skip
        return Result(sentence(row), row.created_at == now)


class CreditForm(AdjustmentForm):
    """Money of the seller for the customer's balance."""

    title = _("Credit")
    kind, adjustment_kind = "adjustment.credit", Kind.CREDIT
    effect = _("The balance grows. The money pays a debt first and revives what is suspended.")

    @classmethod
    def currencies(cls, customer: User) -> list[str]:
        """Return the customer's currencies first, then the others that the site takes."""
        return list(dict.fromkeys([*super().currencies(customer), *registry.currencies()]))

    @classmethod
    def is_subject(cls, account: Account) -> bool:
        """Every wallet can be credited."""
        return account.kind == WALLET


class DebitForm(AdjustmentForm):
    """Money that is taken from the customer's balance."""

    title = _("Debit")
    kind, adjustment_kind, known_as = "adjustment.debit", Kind.DEBIT, "has_money"
    effect = _("The balance falls. It never makes a debt: more than there is gets refused.")

    @classmethod
    def obstacle(cls, row: User) -> str:
        """Return why nothing can be taken."""
        return "" if cls.is_possible(row) else gettext("There is no money on the balance.")

    @classmethod
    def is_subject(cls, account: Account) -> bool:
        """Only money that is there can be taken."""
        return account.kind == WALLET and bool(account.balance)


class WriteOffForm(AdjustmentForm):
    """A debt, or a part of it, that the customer need not pay."""

    title = _("Write off a debt")
    kind, adjustment_kind, known_as = "adjustment.write_off", Kind.WRITE_OFF, "owes"
    effect = _("The debt falls without a payment. What it had suspended starts again if the balance can pay for it.")

    @classmethod
    def obstacle(cls, row: User) -> str:
        """Return why nothing can be written off."""
        return "" if cls.is_possible(row) else gettext("The customer owes nothing.")

    @classmethod
    def is_subject(cls, account: Account) -> bool:
        """Only what is owed can be written off."""
        return account.kind == DEBT and bool(account.balance)


# The acts on the page of a customer (billing_site.admin).
ON_CUSTOMERS: dict[str, type[ActForm]] = {"credit": CreditForm, "debit": DebitForm, "write-off": WriteOffForm}


def sentence(row: Adjustment) -> str:
    """Return what became of an adjustment, in a sentence."""
    words = {"id": row.public_id, "amount": money(row.money), "state": row.get_status_display()}
    if row.status == Status.WAITING:
        return gettext("%(amount)s waits for a second person: adjustment %(id)s.") % words
    if row.status != Status.DONE:
        return gettext("Adjustment %(id)s is %(state)s.") % words
    match row.kind:
        case Kind.CREDIT:
            return gettext("%(amount)s was credited to the balance.") % words
        case Kind.DEBIT:
            return gettext("%(amount)s was taken from the balance.") % words
    return gettext("%(amount)s of the debt was written off.") % words


def _accounts(customer: User) -> Iterable[Account]:
    """Return the wallets and debts of a customer, read once for this object."""
    prefetch_related_objects([customer], "accounts")
    return sorted(customer.accounts.all(), key=lambda account: (account.currency, account.kind))


def _fact(account: Account) -> Fact:
    name = _("Balance in %s") if account.kind == WALLET else _("Debt in %s")
    return Fact(str(name) % account.currency, money(Money(abs(account.balance or 0), account.currency)))

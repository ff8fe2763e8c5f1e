"""Staff's view of the money. To be read: no form of the admin adds, changes or deletes any of it."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.admin import ReadOnlyAdmin
from ledger import display, statements
from ledger.models import Account, Transaction
from ledger.money import Money


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Wallets and debts hold their balance; a system account's is added up when it is looked at."""

    list_display = ["id", "kind", "code", "owner_link", "currency", "money"]
    list_filter = ["kind", "currency"]
    list_select_related = ["owner"]
    search_fields = ["=id", "code", "owner__username", "owner__email"]
    actions = None
    fields = ["kind", "code", "owner_link", "currency", "money", "moved_at", "created_at", "transactions_link"]

    @admin.display(description=_("customer"), ordering="owner__username")
    def owner_link(self, account: Account) -> str:
        """Return a link to whose it is."""
        return link_to(account.owner, "accounts_user")

    @admin.display(description=_("balance"))
    def money(self, account: Account) -> str:
        """Return what is in it."""
        return as_number(Money(statements.balance(account.pk), account.currency))

    @admin.display(description=_("transactions"))
    def transactions_link(self, account: Account) -> str:
        """Return a link to what moved it; only wallets have an index for that."""
        if account.kind != Account.Kind.WALLET:
            return ""
        url = f"{reverse('admin:ledger_transaction_changelist')}?wallet__id__exact={account.pk}"
        return format_html('<a href="{}">{}</a>', url, _("All of this wallet"))


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin):
    """Found by key, by the customer's name or address, or from a wallet."""

    list_display = ["id", "effective_at", "customer_link", "reason", "description", "money", "after", "key"]
    list_filter = ["reason", "currency"]
    list_select_related = ["customer"]
    # What is searched is below; this makes the box appear.
    search_fields = ["key"]
    search_help_text = _("The whole key, or a customer's whole user name or email address.")
    actions = None
    fields = [
        "key", "reason", "description", "money", "from_link", "to_link", "customer_link", "wallet_link", "after",
        "effective_at", "created_at", "author_link", "reverses_link", "group",
    ]  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Transaction], search_term: str
    ) -> tuple[QuerySet[Transaction], bool]:
        """Find by what has an index: the key, and the wallets of a customer. A part of either would read every row."""
        if not (term := search_term.strip()):
            return queryset, False
        owners = User.objects.filter(Q(username__iexact=term) | Q(email__iexact=term))
        wallets = list(Account.objects.filter(owner__in=owners).values_list("pk", flat=True))
        return queryset.filter(Q(key=term) | Q(wallet__in=wallets)), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the link from a wallet, beside the filters."""
        return lookup == "wallet__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("amount"))
    def money(self, row: Transaction) -> str:
        """Return the amount; as the wallet felt it where there is one."""
        return as_number(Money(-row.amount if row.wallet_id == row.debit_id else row.amount, row.currency))

    @admin.display(description=_("balance after"))
    def after(self, row: Transaction) -> str:
        """Return what was in the wallet afterwards."""
        return "" if row.balance_after is None else as_number(Money(row.balance_after, row.currency))

    @admin.display(description=_("customer"))
    def customer_link(self, row: Transaction) -> str:
        """Return a link to the customer."""
        return link_to(row.customer, "accounts_user")

    @admin.display(description=_("by hand of"))
    def author_link(self, row: Transaction) -> str:
        """Return a link to the member of staff."""
        return link_to(row.author, "accounts_user")

    @admin.display(description=_("from"))
    def from_link(self, row: Transaction) -> str:
        """Return a link to the account debited."""
        return link_to(row.debit, "ledger_account")

    @admin.display(description=_("to"))
    def to_link(self, row: Transaction) -> str:
        """Return a link to the account credited."""
        return link_to(row.credit, "ledger_account")

    @admin.display(description=_("wallet"))
    def wallet_link(self, row: Transaction) -> str:
        """Return a link to the wallet it touched."""
        return link_to(row.wallet, "ledger_account")

    @admin.display(description=_("takes back"))
    def reverses_link(self, row: Transaction) -> str:
        """Return a link to what it takes back."""
        return link_to(row.reverses, "ledger_transaction")


def link_to(row: Any, model: str) -> str:
    """Return a link to the row's page, or nothing for none. `model` is app and name, as the admin writes them."""
    if row is None:
        return ""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{model}_change", args=[row.pk]), row)


def as_number(money: Money) -> str:
    """Return the amount for a column that is read downwards."""
    return format_html('<span class="num">{}</span>', display.money(money))

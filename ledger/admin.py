"""The read-only admin of accounts and transactions."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin
from core.lists import link_to as link_to_row
from core.lists import users_called
from ledger import display, statements
from ledger.amounts_admin import currency_filter
from ledger.models import Account, Transaction
from ledger.money import Money


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Accounts with their balances. A system account's balance is summed when its page is shown."""

    list_display = ["id", "kind", "code", "owner_link", "currency", "held"]
    list_filter = ["kind", currency_filter()]
    list_select_related = ["owner"]
    search_fields = ["=id", "=code", "owner__username", "owner__email"]
    search_help_text = _("Id or code of the account, or the customer's user name or email")
    actions = None
    fields = ["kind", "code", "owner_link", "currency", "money", "moved_at", "created_at", "transactions_link"]

    @admin.display(description=_("customer"))
    def owner_link(self, account: Account) -> str:
        """Return a link to the owner."""
        return link_to_row(account.owner)

    @admin.display(description=_("balance"))
    def held(self, account: Account) -> str:
        """Return the balance that the row holds; nothing for a system account, whose balance is a sum."""
        return "-" if account.balance is None else as_number(Money(account.balance, account.currency))

    @admin.display(description=_("balance"))
    def money(self, account: Account) -> str:
        """Return the balance."""
        return as_number(Money(statements.balance(account.pk), account.currency))

    @admin.display(description=_("transactions"))
    def transactions_link(self, account: Account) -> str:
        """Return a link to the account's transactions, for wallets only: other accounts have no index for that."""
        if account.kind != Account.Kind.WALLET:
            return ""
        url = f"{reverse('admin:ledger_transaction_changelist')}?wallet__id__exact={account.pk}"
        return format_html('<a href="{}">{}</a>', url, _("All transactions of this balance"))


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin):
    """Transactions, searched by key or by the customer's user name or email, or listed for a wallet."""

    list_display = ["id", "effective_at", "customer_link", "reason", "description", "money", "after", "key"]
    list_filter = ["reason", currency_filter()]
    list_select_related = ["customer"]
    # Shows the search box. get_search_results decides what is searched.
    search_fields = ["key"]
    search_help_text = _("The full key, or a customer's full username or email address.")
    actions = None
    fields = [
        "key", "reason", "description", "money", "from_link", "to_link", "customer_link", "wallet_link", "after",
        "effective_at", "created_at", "author_link", "reverses_link", "group",
    ]  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Transaction], search_term: str
    ) -> tuple[QuerySet[Transaction], bool]:
        """Search by whole key, user name or email, which have indexes: a partial match would read every row."""
        if not (term := search_term.strip()):
            return queryset, False
        wallets = list(Account.objects.filter(owner__in=users_called(term)).values_list("pk", flat=True))
        return queryset.filter(Q(key=term) | Q(wallet__in=wallets)), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the link from a wallet's page, besides the filters."""
        return lookup == "wallet__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("amount"))
    def money(self, row: Transaction) -> str:
        """Return the amount, negative if it left a wallet."""
        return as_number(Money(-row.amount if row.wallet_id == row.debit_id else row.amount, row.currency))

    @admin.display(description=_("balance after"))
    def after(self, row: Transaction) -> str:
        """Return the wallet's balance after the transaction."""
        return "" if row.balance_after is None else as_number(Money(row.balance_after, row.currency))

    @admin.display(description=_("customer"))
    def customer_link(self, row: Transaction) -> str:
        """Return a link to the customer."""
        return link_to_row(row.customer)

    @admin.display(description=_("made by"))
    def author_link(self, row: Transaction) -> str:
        """Return a link to the member of staff."""
        return link_to(row.author, "accounts_user")

    @admin.display(description=_("from"))
    def from_link(self, row: Transaction) -> str:
        """Return a link to the debited account."""
        return link_to(row.debit, "ledger_account")

    @admin.display(description=_("to"))
    def to_link(self, row: Transaction) -> str:
        """Return a link to the credited account."""
        return link_to(row.credit, "ledger_account")

    @admin.display(description=_("account"))
    def wallet_link(self, row: Transaction) -> str:
        """Return a link to the wallet that it moved."""
        return link_to(row.wallet, "ledger_account")

    @admin.display(description=_("reverses"))
    def reverses_link(self, row: Transaction) -> str:
        """Return a link to the transaction that it reverses."""
        return link_to(row.reverses, "ledger_transaction")


def link_to(row: Any, model: str) -> str:
    """Return a link to the row's admin page, or an empty string without a row. `model` is such as `accounts_user`."""
    if row is None:
        return ""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{model}_change", args=[row.pk]), row)


def as_number(money: Money) -> str:
    """Return the amount as HTML for a right-aligned column."""
    return format_html('<span class="num">{}</span>', display.money(money))

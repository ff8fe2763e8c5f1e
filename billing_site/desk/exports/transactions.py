"""Export of the ledger: every transaction."""

from django.utils.translation import gettext_lazy as _

from billing_site.desk.exports.table import Column, Export, Kind

SQL = """
    SELECT row.id, row.key, row.effective_at, row.created_at, row.reason, row.description,
           row.debit_id, coalesce(nullif(debit.code, ''), debit.kind) AS debit,
           row.credit_id, coalesce(nullif(credit.code, ''), credit.kind) AS credit,
           row.amount, row.currency, row.balance_after, row.wallet_id, row.customer_id, customer.email,
           row.author_id, row.reverses_id, row.group::text
      FROM ledger_transaction AS row
      JOIN ledger_account AS debit ON debit.id = row.debit_id
      JOIN ledger_account AS credit ON credit.id = row.credit_id
      LEFT JOIN accounts_user AS customer ON customer.id = row.customer_id
     WHERE row.effective_at >= %(start)s AND row.effective_at < %(end)s
       AND (%(currency)s = '' OR row.currency = %(currency)s)
     ORDER BY row.effective_at, row.id
"""

TRANSACTIONS = Export(
    "transactions",
    _("Transactions"),
    _("Every movement in the ledger with both of its accounts. The totals are the turnover, not a balance."),
    SQL,
    (
        Column("id", _("Transaction id"), Kind.NUMBER),
        Column("key", _("Transaction key")),
        Column("effective_at", _("Took effect at"), Kind.TIME),
        Column("created_at", _("Posted at"), Kind.TIME),
        Column("reason", _("Reason")),
        Column("description", _("Description")),
        Column("debit_id", _("From account id"), Kind.NUMBER),
        Column("debit", _("From account")),
        Column("credit_id", _("To account id"), Kind.NUMBER),
        Column("credit", _("To account")),
        Column("amount", _("Amount"), Kind.MONEY),
        Column("currency", _("Currency")),
        Column("balance_after", _("Balance after"), Kind.MONEY, is_summed=False),
        Column("wallet_id", _("Wallet id"), Kind.NUMBER),
        Column("customer_id", _("Customer id"), Kind.NUMBER),
        Column("email", _("Customer's email")),
        Column("author_id", _("Posted by staff member id"), Kind.NUMBER),
        Column("reverses_id", _("Reverses transaction id"), Kind.NUMBER),
        Column("group", _("Posted together as")),
    ),
)

"""Exports of what we owe customers (their balances) and what they owe us (their debts)."""

from django.utils.translation import gettext_lazy as _

from billing_site.desk.exports.table import Column, Export, Kind

# The last transaction of each wallet before the end, by the index of a wallet's transactions.
BALANCES_SQL = """
    SELECT wallet.id, wallet.owner_id, customer.email, last.balance_after AS balance, wallet.currency,
           last.id AS transaction_id, last.effective_at
      FROM ledger_account AS wallet
      JOIN accounts_user AS customer ON customer.id = wallet.owner_id
     CROSS JOIN LATERAL (
            SELECT id, balance_after, effective_at FROM ledger_transaction
             WHERE wallet_id = wallet.id AND effective_at < %(end)s
             ORDER BY effective_at DESC, id DESC LIMIT 1
           ) AS last
     WHERE wallet.kind = 'wallet' AND last.balance_after <> 0
       AND (%(currency)s = '' OR wallet.currency = %(currency)s)
     ORDER BY wallet.id
"""

BALANCES = Export(
    "balances",
    _("Balances at the end of a day"),
    _("The balance of each customer at the end of the last day: what you owe them. The first day does not matter."),
    BALANCES_SQL,
    (
        Column("id", _("Wallet id"), Kind.NUMBER),
        Column("owner_id", _("Customer id"), Kind.NUMBER),
        Column("email", _("Customer's email")),
        Column("balance", _("Balance"), Kind.MONEY),
        Column("currency", _("Currency")),
        Column("transaction_id", _("Last transaction id"), Kind.NUMBER),
        Column("effective_at", _("Last moved at"), Kind.TIME),
    ),
    has_start=False,
)

# What moves a debt either moves no wallet, or is no charge (ledger.statements): each has an index.
DEBTS_SQL = """
    SELECT debt.id, debt.owner_id, customer.email, sums.owed_before, sums.grown, sums.paid,
           sums.owed_before + sums.grown - sums.paid AS owed, debt.currency
      FROM ledger_account AS debt
      JOIN accounts_user AS customer ON customer.id = debt.owner_id
      LEFT JOIN ledger_account AS wallet
        ON wallet.owner_id = debt.owner_id AND wallet.currency = debt.currency AND wallet.kind = 'wallet'
     CROSS JOIN LATERAL (
            SELECT coalesce(sum(moved) FILTER (WHERE effective_at < %(start)s), 0) AS owed_before,
                   coalesce(sum(moved) FILTER (WHERE effective_at >= %(start)s AND moved > 0), 0) AS grown,
                   coalesce(-sum(moved) FILTER (WHERE effective_at >= %(start)s AND moved < 0), 0) AS paid
              FROM (SELECT effective_at, CASE WHEN debit_id = debt.id THEN amount ELSE -amount END AS moved
                      FROM ledger_transaction
                     WHERE customer_id = debt.owner_id AND wallet_id IS NULL AND debt.id IN (debit_id, credit_id)
                     UNION ALL
                    SELECT effective_at, CASE WHEN debit_id = debt.id THEN amount ELSE -amount END
                      FROM ledger_transaction
                     WHERE wallet_id = wallet.id AND reason <> 'charge' AND debt.id IN (debit_id, credit_id)
                   ) AS movement
             WHERE effective_at < %(end)s
           ) AS sums
     WHERE debt.kind = 'debt' AND (sums.owed_before <> 0 OR sums.grown <> 0 OR sums.paid <> 0)
       AND (%(currency)s = '' OR debt.currency = %(currency)s)
     ORDER BY debt.id
"""

DEBTS = Export(
    "debts",
    _("Debts"),
    _("What each customer owed before the first day, what was added and paid since, and what they owe after the last."),
    DEBTS_SQL,
    (
        Column("id", _("Debt account id"), Kind.NUMBER),
        Column("owner_id", _("Customer id"), Kind.NUMBER),
        Column("email", _("Customer's email")),
        Column("owed_before", _("Owed before"), Kind.MONEY),
        Column("grown", _("Added"), Kind.MONEY),
        Column("paid", _("Paid"), Kind.MONEY),
        Column("owed", _("Owed after"), Kind.MONEY),
        Column("currency", _("Currency")),
    ),
)

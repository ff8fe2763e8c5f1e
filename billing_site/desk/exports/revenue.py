"""Export of revenue by day and plan."""

from django.utils.translation import gettext_lazy as _

from billing_site.desk.exports.table import Column, Export, Kind

# A reversal counts for the plan of what it reverses. Revenue that no charge stands for has no plan.
SQL = """
    WITH row AS (
        SELECT * FROM ledger_transaction
         WHERE effective_at >= %(start)s AND effective_at < %(end)s
           AND (%(currency)s = '' OR currency = %(currency)s)
    ), moved AS (
        SELECT coalesce(row.reverses_id, row.id) AS cause, row.effective_at, row.currency, row.amount
          FROM row JOIN ledger_account AS revenue ON revenue.id = row.credit_id AND revenue.kind = 'revenue'
         UNION ALL
        SELECT coalesce(row.reverses_id, row.id), row.effective_at, row.currency, -row.amount
          FROM row JOIN ledger_account AS revenue ON revenue.id = row.debit_id AND revenue.kind = 'revenue'
    ), priced AS (
        SELECT moved.*, coalesce(paid.price_id, owed.price_id, refunded.price_id) AS price_id
          FROM moved
          LEFT JOIN subscriptions_charge AS paid ON paid.transaction_id = moved.cause
          LEFT JOIN subscriptions_charge AS owed ON owed.debt_transaction_id = moved.cause
          LEFT JOIN subscriptions_charge AS refunded ON refunded.refund_id = moved.cause
    )
    SELECT (effective_at AT TIME ZONE %(zone)s)::date AS day, plan.code AS plan, plan.id AS plan_id,
           plan.name AS plan_name,
           coalesce(sum(priced.amount) FILTER (WHERE priced.amount > 0), 0) AS charged,
           coalesce(-sum(priced.amount) FILTER (WHERE priced.amount < 0), 0) AS given_back,
           sum(priced.amount) AS revenue, priced.currency, count(*) AS transactions
      FROM priced
      LEFT JOIN subscriptions_price AS price ON price.id = priced.price_id
      LEFT JOIN subscriptions_plan AS plan ON plan.id = price.plan_id
     GROUP BY day, plan.id, plan.code, plan.name, priced.currency
     ORDER BY day, plan.code, plan.id, priced.currency
"""

REVENUE = Export(
    "revenue",
    _("Revenue by plan and day"),
    _("What was charged for each plan on each day, what was given back for unused time, and the difference."),
    SQL,
    (
        Column("day", _("Date"), Kind.DAY),
        Column("plan", _("Plan code")),
        Column("plan_id", _("Plan id"), Kind.NUMBER),
        Column("plan_name", _("Plan")),
        Column("charged", _("Charged"), Kind.MONEY),
        Column("given_back", _("Given back"), Kind.MONEY),
        Column("revenue", _("Revenue"), Kind.MONEY),
        Column("currency", _("Currency")),
        Column("transactions", _("Number of transactions"), Kind.NUMBER),
    ),
)

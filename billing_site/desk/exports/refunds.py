"""Export of refunds."""

from django.utils.translation import gettext_lazy as _

from billing_site.desk.exports.table import Column, Export, Kind

# Each movement of a refund in the ledger: to the customer, and back to their balance if it did not arrive. What was
# never credited is sent back without a movement; it has a column of its own, so that `refunded` is the ledger's.
SQL = """
    WITH line AS (
        SELECT row.id AS transaction_id, row.effective_at, split_part(row.key, ':', 2) AS subject,
               CASE WHEN row.key LIKE '%%:returned' THEN 'did not arrive' ELSE 'refund' END AS kind,
               CASE WHEN row.key LIKE '%%:returned' THEN -row.amount ELSE row.amount END AS refunded,
               NULL::bigint AS sent_back, row.currency, row.customer_id, row.description
          FROM ledger_transaction AS row
         WHERE row.effective_at >= %(start)s AND row.effective_at < %(end)s AND row.reason = 'refund'
           AND (%(currency)s = '' OR row.currency = %(currency)s)
         UNION ALL
        SELECT NULL, refund.created_at, refund.public_id, 'sent back', NULL, refund.amount, refund.currency,
               payment.customer_id, refund.reason
          FROM payments_refund AS refund JOIN payments_payment AS payment ON payment.id = refund.payment_id
         WHERE refund.created_at >= %(start)s AND refund.created_at < %(end)s AND NOT refund.is_from_wallet
           AND refund.status <> 'failed' AND (%(currency)s = '' OR refund.currency = %(currency)s)
    )
    SELECT line.kind, line.subject, line.effective_at, line.refunded, line.sent_back, line.currency,
           refund.destination, refund.status, coalesce(nullif(refund.reason, ''), line.description) AS reason,
           payment.public_id AS payment, refund.gateway, refund.gateway_id, line.customer_id, customer.email,
           refund.author_id, line.transaction_id
      FROM line
      LEFT JOIN payments_refund AS refund ON refund.public_id = line.subject
      LEFT JOIN payments_payment AS payment ON payment.id = refund.payment_id
      LEFT JOIN accounts_user AS customer ON customer.id = line.customer_id
     ORDER BY line.effective_at, line.transaction_id, line.subject
"""

REFUNDS = Export(
    "refunds",
    _("Refunds"),
    _(
        "Money that went back to customers, to their cards or balances. A refund that did not arrive is below zero. "
        "Money that was never credited and was sent back has a column of its own."
    ),
    SQL,
    (
        Column("kind", _("Line")),
        Column("subject", _("Refund id")),
        Column("effective_at", _("Took effect at"), Kind.TIME),
        Column("refunded", _("Refunded"), Kind.MONEY),
        Column("sent_back", _("Sent back without credit"), Kind.MONEY),
        Column("currency", _("Currency")),
        Column("destination", _("Paid to")),
        Column("status", _("Status now")),
        Column("reason", _("Reason")),
        Column("payment", _("Payment id")),
        Column("gateway", _("Gateway")),
        Column("gateway_id", _("Gateway's id")),
        Column("customer_id", _("Customer id"), Kind.NUMBER),
        Column("email", _("Customer's email")),
        Column("author_id", _("Asked for by staff member id"), Kind.NUMBER),
        Column("transaction_id", _("Transaction id"), Kind.NUMBER),
    ),
)

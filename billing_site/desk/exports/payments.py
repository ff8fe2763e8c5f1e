"""Export of what gateways took, kept and paid out."""

from django.utils.translation import gettext_lazy as _

from billing_site.desk.exports.table import Column, Export, Kind

# A fee stands beside its payment. One of a dispute, or of a payment that was credited on other days or not at all, has
# a line of its own, so that the sums of these days are the ledger's.
SQL = """
    WITH row AS (
        SELECT * FROM ledger_transaction
         WHERE effective_at >= %(start)s AND effective_at < %(end)s
           AND (%(currency)s = '' OR currency = %(currency)s)
           AND reason IN ('top_up', 'fee', 'payout')
    ), taken AS (
        SELECT row.id, split_part(row.key, ':', 2) AS subject, effective_at, amount, row.currency, clearing.code
          FROM row JOIN ledger_account AS clearing ON clearing.id = row.debit_id
         WHERE reason = 'top_up' AND clearing.kind = 'gateway_clearing'
    ), kept AS (
        SELECT row.id, split_part(row.key, ':', 2) AS subject, effective_at, row.currency,
               CASE WHEN debit.kind = 'gateway_fees' THEN amount ELSE -amount END AS amount,
               CASE WHEN debit.kind = 'gateway_fees' THEN credit.code ELSE debit.code END AS code
          FROM row JOIN ledger_account AS debit ON debit.id = row.debit_id
          JOIN ledger_account AS credit ON credit.id = row.credit_id
         WHERE reason = 'fee'
    ), sent AS (
        SELECT row.id, split_part(coalesce(original.key, row.key), ':', 2) AS subject, row.effective_at, row.currency,
               CASE WHEN debit.kind = 'bank' THEN row.amount ELSE -row.amount END AS amount,
               CASE WHEN debit.kind = 'bank' THEN credit.code ELSE debit.code END AS code
          FROM row JOIN ledger_account AS debit ON debit.id = row.debit_id
          JOIN ledger_account AS credit ON credit.id = row.credit_id
          LEFT JOIN ledger_transaction AS original ON original.id = row.reverses_id
         WHERE row.reason = 'payout'
    ), line AS (
        SELECT CASE WHEN taken.id IS NULL THEN 'fee' ELSE 'payment' END AS kind,
               coalesce(taken.subject, kept.subject) AS subject,
               coalesce(taken.effective_at, kept.effective_at) AS effective_at,
               split_part(coalesce(taken.code, kept.code), ':', 2) AS gateway,
               taken.amount AS taken, kept.amount AS fee, kept.currency AS fee_currency, NULL::bigint AS paid_out,
               coalesce(taken.currency, kept.currency) AS currency, taken.id AS transaction_id, kept.id AS fee_id
          FROM taken FULL JOIN kept ON kept.subject = taken.subject
         UNION ALL
        SELECT 'payout', subject, effective_at, split_part(code, ':', 2), NULL, NULL, NULL, amount, currency, id, NULL
          FROM sent
    )
    SELECT line.kind, line.subject, line.effective_at, line.gateway,
           coalesce(payment.gateway_id, payout.gateway_id, dispute.gateway_id) AS gateway_id,
           line.taken, line.paid_out, line.currency, line.fee, line.fee_currency,
           CASE WHEN line.fee_currency = line.currency OR line.fee IS NULL THEN line.taken - coalesce(line.fee, 0) END
               AS net,
           payment.customer_id, customer.email, subscription.public_id AS subscription, plan.code AS plan,
           line.transaction_id, line.fee_id
      FROM line
      LEFT JOIN payments_dispute AS dispute ON dispute.public_id = line.subject
      LEFT JOIN payments_payout AS payout ON payout.public_id = line.subject
      LEFT JOIN payments_payment AS payment ON payment.public_id = line.subject
      LEFT JOIN accounts_user AS customer ON customer.id = payment.customer_id
      LEFT JOIN subscriptions_subscription AS subscription ON subscription.id = payment.subscription_id
      LEFT JOIN subscriptions_plan AS plan ON plan.id = payment.plan_id
     ORDER BY line.effective_at, coalesce(line.transaction_id, line.fee_id)
"""

PAYMENTS = Export(
    "payments",
    _("Payments, fees and payouts"),
    _(
        "What gateways took from customers, the fees they kept, and what they sent to the bank account. A fee is "
        "beside its payment, or on a line of its own if the payment was on another day."
    ),
    SQL,
    (
        Column("kind", _("Line")),
        Column("subject", _("Payment, payout or dispute id")),
        Column("effective_at", _("Took effect at"), Kind.TIME),
        Column("gateway", _("Gateway")),
        Column("gateway_id", _("Gateway's id")),
        Column("taken", _("Taken from customers"), Kind.MONEY),
        Column("paid_out", _("Paid out to the bank"), Kind.MONEY),
        Column("currency", _("Currency")),
        Column("fee", _("Fee"), Kind.MONEY, currency="fee_currency"),
        Column("fee_currency", _("Currency of the fee")),
        Column("net", _("Taken less the fee"), Kind.MONEY, is_summed=False),
        Column("customer_id", _("Customer id"), Kind.NUMBER),
        Column("email", _("Customer's email")),
        Column("subscription", _("Subscription id")),
        Column("plan", _("Plan code")),
        Column("transaction_id", _("Transaction id"), Kind.NUMBER),
        Column("fee_id", _("Transaction id of the fee"), Kind.NUMBER),
    ),
)

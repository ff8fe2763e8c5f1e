"""Integrity checks of money that was collected without the customer: each query returns the rows that break a rule."""

from core.integrity import Check

TRIGGERS = (
    "collection_begins_waiting",
    "collection_moves_along_the_table",
    "collection_keeps_its_cause",
    "collection_is_never_deleted",
    "decision_is_never_changed",
    "consent_keeps_what_was_agreed",
    "consent_is_never_deleted",
    "payment_keeps_its_collection",
)

CHECKS = (
    Check(
        "causes_are_collected_once",
        "No cause was collected twice, and each collection that says so has brought its amount to its wallet once.",
        """
        SELECT collection.id AS collection, collection.cause, collection.status, collection.amount,
               count(attempt.id) AS paid, sum(credit.amount) AS credited
          FROM payments_collection AS collection
          LEFT JOIN payments_payment AS attempt
            ON attempt.collection_id = collection.id AND attempt.status = 'confirmed'
          LEFT JOIN ledger_transaction AS credit
            ON credit.key = 'payment:' || attempt.public_id AND credit.wallet_id = collection.wallet_id
         GROUP BY collection.id
        HAVING count(attempt.id) > 1
            OR (collection.status = 'collected'
                AND (count(attempt.id), sum(credit.amount)) IS DISTINCT FROM (1, sum(attempt.amount_received)))
        """,
    ),
    Check(
        "charges_were_agreed_to",
        "Each charge without the customer was of a method of theirs, while a consent to it was in force.",
        """
        SELECT attempt.id AS payment, attempt.customer_id AS customer, attempt.method_id AS method, attempt.created_at
          FROM payments_payment AS attempt
          JOIN payments_paymentmethod AS method ON method.id = attempt.method_id
         -- One that was stopped before it was sent is no charge.
         WHERE NOT (attempt.status = 'cancelled' AND attempt.gateway_id IS NULL)
           AND (method.customer_id <> attempt.customer_id
                OR method.removed_at < attempt.created_at
                OR NOT EXISTS (SELECT FROM payments_consent AS consent
                                WHERE consent.method_id = attempt.method_id
                                  AND consent.customer_id = attempt.customer_id
                                  AND consent.given_at <= attempt.created_at
                                  AND (consent.withdrawn_at IS NULL OR consent.withdrawn_at >= attempt.created_at)))
        """,
    ),
)

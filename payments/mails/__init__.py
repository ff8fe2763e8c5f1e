"""The mails about payments, refunds, disputes and cards, and those that ask for money ahead."""

from payments.mails import (
    adjustments,
    attempts,
    cancellations,
    cards,
    collection_failures,
    disputes,
    receipts,
    refunds,
    reminders,
    top_ups,
)

KINDS = (
    receipts.RECEIPT,
    attempts.PAYMENT_FAILED,
    attempts.CONFIRM_WITH_BANK,
    collection_failures.NOT_TRIED,
    collection_failures.GIVEN_UP,
    top_ups.TOP_UPS_STOPPED,
    top_ups.TOP_UP_LIMIT,
    refunds.REFUNDED,
    refunds.REFUND_FAILED,
    adjustments.ADJUSTED,
    disputes.DISPUTE,
    cards.CARD_EXPIRES,
    cancellations.CANCELLED,
    reminders.RENEWAL_AHEAD,
    reminders.TRIAL_ENDS,
    reminders.LOW_BALANCE,
)

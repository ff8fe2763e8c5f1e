"""The mails about payments, refunds, disputes and cards. events.mails sends them."""

from payments.mails import attempts, cards, disputes, receipts, refunds

KINDS = (
    receipts.RECEIPT,
    attempts.PAYMENT_FAILED,
    attempts.CONFIRM_WITH_BANK,
    refunds.REFUNDED,
    refunds.REFUND_FAILED,
    disputes.DISPUTE,
    cards.CARD_EXPIRES,
)

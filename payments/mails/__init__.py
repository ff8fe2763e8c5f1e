"""The mails about payments, refunds, disputes and cards. events.mails sends them."""

from payments.mails import attempts, automatic, cards, disputes, receipts, refunds, top_ups

KINDS = (
    receipts.RECEIPT,
    attempts.PAYMENT_FAILED,
    attempts.CONFIRM_WITH_BANK,
    automatic.NOT_TRIED,
    automatic.GIVEN_UP,
    top_ups.TOP_UPS_STOPPED,
    top_ups.TOP_UP_LIMIT,
    refunds.REFUNDED,
    refunds.REFUND_FAILED,
    disputes.DISPUTE,
    cards.CARD_EXPIRES,
)

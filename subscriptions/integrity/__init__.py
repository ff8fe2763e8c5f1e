"""What must always be true of subscriptions and charges, as queries that find whatever is not.

The event log tells when each subscription was live; the charges must cover exactly that.
"""

from accounts.integrity import guards
from subscriptions.integrity import arithmetic, money, moves, spans
from subscriptions.models import Charge, Plan, Price, Subscription, Trial

TRIGGERS = (
    "used_price_keeps_its_terms",
    "used_price_is_never_deleted",
    "prices_are_never_truncated",
    "subscription_keeps_what_was_bought",
    "final_subscription_stays_final",
    "subscription_is_never_deleted",
    "subscriptions_are_never_truncated",
    "subscription_fits_wallet_and_price",
    "subscription_fits_wallet_and_new_price",
    "charge_is_written_once",
    "charge_ends_and_is_refunded_once",
    "charge_is_never_deleted",
    "charges_are_never_truncated",
)

CHECKS = (
    *spans.CHECKS,
    *moves.CHECKS,
    *money.CHECKS,
    *arithmetic.CHECKS,
    guards("subscription_guards_are_there", (Plan, Price, Subscription, Charge, Trial), TRIGGERS),
)

"""Billing and payments: intervals, limits and gateways."""

import json
import re
from datetime import timedelta

from billing_site.settings.environment import LOCAL, env


def retry_days(text: str) -> tuple[int, ...]:
    """Return the days in COLLECTION_RETRY_DAYS, in order. Raises ValueError."""
    days = sorted({int(day) for day in text.split(",")})
    if not 1 <= days[0] <= days[-1] <= 365:
        raise ValueError(text)
    return tuple(days)


def whole_amounts(text: str) -> dict[str, int]:
    """Return the amounts of a JSON object by currency, in whole units. Raises ValueError or TypeError."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("It is no object.")
    amounts = {currency: int(amount) for currency, amount in found.items()}
    if not all(re.fullmatch("[A-Z]{3}", currency) and amount >= 0 for currency, amount in amounts.items()):
        raise ValueError("It has no currency or an amount below zero.")
    return amounts


# The longest time between two charges of metered use. It changes how charges are split, never their sum.
BILLING_METER_EVERY = timedelta(seconds=env.int("BILLING_METER_EVERY", default=3600, least=1))
# Books overdue for longer than this wait for staff, so that a clock that jumped does not bill a year.
BILLING_MAX_CATCH_UP = timedelta(seconds=env.int("BILLING_MAX_CATCH_UP", default=7 * 24 * 3600, least=1))
# Days that an order, a subscription which has never started, waits for its payment.
ORDER_DAYS = env.days("ORDER_DAYS", default=14)
# Subscriptions that have not ended, of one customer in one currency.
MAX_SUBSCRIPTIONS = env.int("MAX_SUBSCRIPTIONS", default=5000, least=1)
# Books that a worker claims and settles in one transaction.
BILLING_BATCH = env.int("BILLING_BATCH", default=1000, least=1)

# The gateways that customers are offered, the first one by default.
PAYMENT_GATEWAYS = env.list("PAYMENT_GATEWAYS", default=["sandbox"])
# Every gateway that the code knows. One with keys goes on being asked and listened to when it is not offered any more.
GATEWAY_CLASSES = {
    "sandbox": "payments.gateways.sandbox.gateway.Sandbox",
    "stripe": "payments.gateways.stripe.gateway.Stripe",
    "yookassa": "payments.gateways.yookassa.gateway.YooKassa",
    "manual": "payments.gateways.manual.gateway.Manual",
}
# Seconds that a worker waits for a gateway's answer, and that a web request waits in all.
GATEWAY_TIMEOUT = env.float("GATEWAY_TIMEOUT", default=20.0, most=120)
GATEWAY_TIMEOUT_WEB = env.float("GATEWAY_TIMEOUT_WEB", default=3.0, most=25)
# How long before a renewal the money that is missing for it is charged, if the customer has agreed; the days after a
# first decline on which it is tried again; and the time zone of the working hours in which that happens, for customers
# who have chosen none.
COLLECTION_AHEAD = timedelta(hours=env.int("COLLECTION_AHEAD_HOURS", default=24, most=24 * 365))
COLLECTION_RETRY_DAYS = env.parsed(
    "COLLECTION_RETRY_DAYS",
    retry_days,
    default="1,3,5,7",
    allowed="whole numbers from 1 to 365 with commas between them",
    example="1,3,5,7",
)
COLLECTION_TIME_ZONE = env.zone("COLLECTION_TIME_ZONE", default="UTC")
# Origins of programs to which customers may be sent back after paying, beside this site.
RETURN_ORIGINS = env.words(
    "RETURN_ORIGINS",
    r"https?://[A-Za-z0-9.-]+(:[0-9]+)?",
    allowed="origins with commas between them",
    example="https://shop.example.com",
)
PAYMENT_EXPIRES_AFTER = timedelta(seconds=env.int("PAYMENT_EXPIRES_AFTER", default=1800, least=1))
# Days that gateway reports are kept, and webhook events that were processed or ignored. Parked ones are kept.
GATEWAY_REPORT_DAYS = env.days("GATEWAY_REPORT_DAYS", default=400)
WEBHOOK_EVENT_DAYS = env.days("WEBHOOK_EVENT_DAYS", default=90)
LOCAL_WEBHOOK_SECRET = "whsec_bG9jYWwtb25seS1ub3QtYS1zZWNyZXQtMDAwMDAwMDA="
SANDBOX_WEBHOOK_SECRET = env.str("SANDBOX_WEBHOOK_SECRET") or (LOCAL_WEBHOOK_SECRET if LOCAL else "")
# Stripe: the secret key (sk_ or rk_), the signing secret of the webhook endpoint (two, divided by a space, while it is
# changed), and the address of a fake instead of Stripe's own.
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET")
STRIPE_API_BASE = env.url("STRIPE_API_BASE", ("https", "http"), example="http://127.0.0.1:8012")
# Smallest and largest top-up by currency, in minor units. They narrow what the gateways take.
TOP_UP_LIMITS = {"RUB": (100_00, 1_000_000_00), "EUR": (1_00, 10_000_00)}
# The function that raises an amount to one that gateways take. Subscriptions, which know no gateways, ask it how much a
# customer must pay.
PAYABLE_AMOUNT = "payments.amounts.payable"

# What a member of staff may credit, debit or write off for one customer within a day without a second person, in whole
# units by currency. A currency that is not named always takes a second person.
STAFF_CREDIT_LIMIT = env.parsed(
    "STAFF_CREDIT_LIMIT",
    whole_amounts,
    default='{"RUB": "5000", "EUR": "50", "USD": "50"}',
    allowed="a JSON object of currencies with whole amounts",
    example='{"RUB": "5000", "EUR": "50"}',
)

# YooKassa: the shop's number and secret key. Blank means unset.
YOOKASSA_SHOP_ID = env.str("YOOKASSA_SHOP_ID")
YOOKASSA_SECRET_KEY = env.str("YOOKASSA_SECRET_KEY")
# Another origin of its API, for a fake or a proxy. Blank: https://api.yookassa.ru.
YOOKASSA_API_BASE = env.url("YOOKASSA_API_BASE", ("https", "http"), example="https://api.yookassa.ru")
# The currency of the shop's account.
YOOKASSA_CURRENCIES = env.list("YOOKASSA_CURRENCIES", default=["RUB"])
# Networks that notifications may come from. Blank: those that YooKassa publishes.
YOOKASSA_NETWORKS = env.networks("YOOKASSA_NETWORKS")
# Whether YooKassa has allowed the shop to keep payment methods.
YOOKASSA_SAVES_METHODS = env.bool("YOOKASSA_SAVES_METHODS", default=False)
# Receipts by law 54-FZ: the VAT rate turns them on. The tax system is needed by some cash registers only.
YOOKASSA_VAT_CODE = env.str("YOOKASSA_VAT_CODE")
YOOKASSA_TAX_SYSTEM = env.str("YOOKASSA_TAX_SYSTEM")
YOOKASSA_PAYMENT_SUBJECT = env.str("YOOKASSA_PAYMENT_SUBJECT", default="service")
YOOKASSA_PAYMENT_MODE = env.str("YOOKASSA_PAYMENT_MODE", default="full_payment")

# Bank transfers and cash: the seller's details as JSON (payments.gateways.manual.details), the currencies (blank: all
# of TOP_UP_LIMITS), and the days that a transfer is waited for.
MANUAL_DETAILS = env.str("MANUAL_DETAILS")
MANUAL_CURRENCIES = env.list("MANUAL_CURRENCIES")
MANUAL_PAGE_DAYS = env.days("MANUAL_PAGE_DAYS", default=14)

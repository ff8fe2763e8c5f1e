"""Billing and payments: the limits and the gateways."""

from datetime import timedelta

from billing_site.settings.environment import LOCAL, env

# How often metered use is written down at least. Changes how charges are cut, never what they add up to.
BILLING_METER_EVERY = timedelta(seconds=env.int("BILLING_METER_EVERY", default=3600))
# A run that would catch up more than this waits for staff: a clock that jumped must not bill a year.
BILLING_MAX_CATCH_UP = timedelta(seconds=env.int("BILLING_MAX_CATCH_UP", default=7 * 24 * 3600))
# Books one worker claims and settles in one transaction.
BILLING_BATCH = env.int("BILLING_BATCH", default=1000)

PAYMENT_GATEWAYS = env.list("PAYMENT_GATEWAYS", default=["sandbox"])
# Every gateway the code has. Those named above are in use, the first one by default.
GATEWAY_CLASSES = {"sandbox": "payments.gateways.sandbox.gateway.Sandbox"}
PAYMENT_EXPIRES_AFTER = timedelta(seconds=env.int("PAYMENT_EXPIRES_AFTER", default=1800))
LOCAL_WEBHOOK_SECRET = "whsec_bG9jYWwtb25seS1ub3QtYS1zZWNyZXQtMDAwMDAwMDA="
SANDBOX_WEBHOOK_SECRET = env.str("SANDBOX_WEBHOOK_SECRET", default=LOCAL_WEBHOOK_SECRET if LOCAL else "")
# Top-ups, by currency, in minor units: the least and the most of one payment.
TOP_UP_LIMITS = {"RUB": (100_00, 1_000_000_00), "EUR": (1_00, 10_000_00)}

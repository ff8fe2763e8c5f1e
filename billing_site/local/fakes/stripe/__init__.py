"""A stateful fake of the part of Stripe's API that our gateway uses. `python -m billing_site.local.fakes.stripe`."""

# The key that it takes and the secret with which it signs webhooks. Both are public.
KEY = "sk_test_" + "fake" * 6
WEBHOOK_SECRET = "whsec_" + "fake" * 8

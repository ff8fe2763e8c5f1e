"""A stateful fake of the part of Stripe's API that our gateway uses. `python -m billing_site.local.fakes.stripe`."""

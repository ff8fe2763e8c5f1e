"""Stripe's own table. The rest of the code reaches it through the gateway protocol."""

from functools import partial

from django.db import models

from core.ids import new_id


class StripeCustomer(models.Model):
    """The customer at Stripe who stands for one of ours, and for whom Stripe keeps cards."""

    # Our public id of the customer.
    customer = models.CharField(max_length=64, unique=True)
    # The idempotency key with which it is made there. It is committed before Stripe is asked, so that pages that are
    # opened at the same time lead to the same customer.
    key = models.CharField(max_length=40, default=partial(new_id, "scu"))
    # Stripe's id, `cus_...`; empty until it has answered.
    customer_id = models.CharField(max_length=120, default="", blank=True)

    def __str__(self) -> str:
        return self.customer_id or self.key

"""Staff find a card by its last digits, and the webhooks of a payment. The indexes are built without a lock."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0022_lists")]

    operations = [
        AddIndexConcurrently(
            "paymentmethod",
            models.Index(fields=["last4", "-id"], condition=~models.Q(last4=""), name="method_by_last_digits"),
        ),
        AddIndexConcurrently(
            "webhookevent", models.Index(fields=["gateway_id", "-id"], name="webhook_event_by_object")
        ),
    ]

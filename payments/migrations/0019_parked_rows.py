"""Indexes of the rows that wait for staff, so that counting them takes no time. They are built without a lock."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# Model, indexed field, name of the index.
PARKED = (
    ("collectionplan", "wallet", "collection_plan_parked"),
    ("payment", "id", "payment_parked"),
    ("paymentmethod", "id", "method_parked"),
    ("refund", "id", "refund_parked"),
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0018_methods_removed_once")]

    operations = [
        *(
            AddIndexConcurrently(
                model, models.Index(fields=[field], condition=~models.Q(parked_reason=""), name=name)
            )
            for model, field, name in PARKED
        ),
        AddIndexConcurrently(
            "webhookevent",
            models.Index(fields=["id"], condition=models.Q(status="parked"), name="webhook_event_parked"),
        ),
    ]

"""Small indexes by time, for the filters of the admin's lists. They are built without a lock."""

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations

# Model, indexed field, name of the index.
TIMES = (
    ("payment", "created_at", "payment_by_time"),
    ("refund", "created_at", "refund_by_time"),
    ("dispute", "created_at", "dispute_by_time"),
    ("collection", "created_at", "collection_by_time"),
    ("paymentmethod", "created_at", "method_by_time"),
    ("methodsetup", "created_at", "setup_by_time"),
    ("consent", "given_at", "consent_by_time"),
    ("webhookevent", "received_at", "webhook_event_by_time"),
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0021_adjustments")]

    operations = [AddIndexConcurrently(model, BrinIndex(fields=[field], name=name)) for model, field, name in TIMES]

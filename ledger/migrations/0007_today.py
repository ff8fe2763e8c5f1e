"""An index of transactions by time, for figures of some days. It is built without a lock."""

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("ledger", "0006_write_off")]

    operations = [
        AddIndexConcurrently(
            "transaction",
            BrinIndex(fields=["effective_at"], pages_per_range=32, autosummarize=True, name="transaction_by_time"),
        ),
    ]

"""An index of charges by their end, for the revenue of some days. It is built without a lock."""

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("subscriptions", "0011_plan_codes")]

    operations = [
        AddIndexConcurrently(
            "charge",
            BrinIndex(
                fields=["period_end"],
                opclasses=["timestamptz_minmax_multi_ops"],
                pages_per_range=32,
                autosummarize=True,
                name="charge_by_span_end",
            ),
        ),
    ]

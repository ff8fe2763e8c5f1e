"""Refunds of money that had never come: the receipt of a bank transfer was voided."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0015_dispute_fees")]

    operations = [migrations.AddField("refund", "is_void", models.BooleanField(default=False, editable=False))]

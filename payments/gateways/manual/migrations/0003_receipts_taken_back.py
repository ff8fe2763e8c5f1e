"""Receipts that were voided after their transfer had counted as paid."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("manual", "0002_payers_note")]

    operations = [
        migrations.AddField(
            "manualreceipt", "is_taken_back", models.BooleanField(default=False, verbose_name="taken back")
        ),
        migrations.AddConstraint(
            "manualreceipt",
            models.CheckConstraint(
                condition=Q(is_taken_back=False) | Q(voided_at__isnull=False),
                name="only_a_void_manual_receipt_is_taken_back",
            ),
        ),
    ]

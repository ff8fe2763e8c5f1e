"""What a gateway keeps for a dispute."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("payments", "0014_checkout_consents")]

    operations = [
        migrations.AddField("dispute", "fee", models.BigIntegerField(default=0, editable=False)),
        migrations.AddField(
            "dispute", "fee_currency", models.CharField(blank=True, default="", editable=False, max_length=3)
        ),
        migrations.AddField("dispute", "fee_changes", models.PositiveSmallIntegerField(default=0, editable=False)),
        migrations.AddConstraint(
            "dispute",
            models.CheckConstraint(
                condition=Q(fee=0, fee_changes=0) | Q(fee_changes__gt=0, fee_currency__regex="^[A-Z]{3}$"),
                name="a_dispute_fee_has_a_currency",
            ),
        ),
    ]

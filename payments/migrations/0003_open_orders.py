"""What an open payment is for, what its order costs, and since when its page is to be closed."""

from django.conf import settings
from django.db import migrations, models

# Payments made before paid for their order only.
ORDER_AMOUNTS = "UPDATE payments_payment SET order_amount = amount WHERE subscription_id IS NOT NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0002_guards"),
        ("subscriptions", "0005_paid_before_use"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("payment", "closing_at", models.DateTimeField(editable=False, null=True)),
        migrations.AddField("payment", "order_amount", models.BigIntegerField(default=0, editable=False)),
        migrations.AddField(
            "payment", "purpose", models.CharField(blank=True, default="", editable=False, max_length=100)
        ),
        migrations.RunSQL(ORDER_AMOUNTS, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "payment",
            models.UniqueConstraint(
                fields=["customer", "purpose"],
                condition=models.Q(status__in=["pending", "unknown"], parked_reason="") & ~models.Q(purpose=""),
                name="one_open_payment_per_purpose",
            ),
        ),
    ]

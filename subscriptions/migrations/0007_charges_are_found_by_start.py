"""One index both keeps charges from starting together and finds the charges of a subscription."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0006_quotes")]

    operations = [
        migrations.AddField("charge", "void_as", models.BigIntegerField(default=0, db_default=0)),
        migrations.RunSQL(
            "UPDATE subscriptions_charge SET void_as = id WHERE ended_at = period_start", migrations.RunSQL.noop
        ),
        migrations.RemoveConstraint("charge", "one_charge_per_subscription_and_start"),
        migrations.AddConstraint(
            "charge",
            models.UniqueConstraint(
                fields=["subscription", "period_start", "void_as"], name="one_charge_per_subscription_and_start"
            ),
        ),
        migrations.AddConstraint(
            "charge",
            models.CheckConstraint(
                condition=(Q(void_as=0) & (Q(ended_at__isnull=True) | Q(ended_at__gt=F("period_start"))))
                | (~Q(void_as=0) & Q(ended_at__isnull=False, ended_at=F("period_start"))),
                name="only_an_empty_charge_is_void",
            ),
        ),
    ]

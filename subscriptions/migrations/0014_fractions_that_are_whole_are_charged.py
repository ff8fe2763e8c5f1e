"""A charge may have no span: it collects fractions of earlier use that have come to a whole unit."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0013_what_a_subscription_was_asked_for")]

    operations = [
        migrations.RemoveConstraint("charge", "charge_has_a_span"),
        migrations.AddConstraint(
            "charge",
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")) | Q(period_end=F("period_start")) & ~Q(void_as=0),
                name="charge_has_a_span",
            ),
        ),
    ]

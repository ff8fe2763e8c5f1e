"""A price paid in advance is for an hour or longer: of one for seconds or minutes no order can sensibly be made."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0014_fractions_that_are_whole_are_charged")]

    operations = [
        migrations.AddConstraint(
            "price",
            models.CheckConstraint(
                condition=Q(metered=True) | Q(interval__in=["hour", "day", "week", "month", "year"]),
                name="advance_price_is_for_an_hour_or_longer",
            ),
        ),
    ]

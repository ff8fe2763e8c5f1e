"""A book keeps the fraction of a minor unit that a metered use left, so that ending a use pays nobody's bill."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0011_a_renewal_stays_on_its_page")]

    operations = [
        migrations.AddField("book", "leftover", models.BigIntegerField(default=0, db_default=0)),
        migrations.AddConstraint(
            "book", models.CheckConstraint(condition=Q(leftover__gte=0), name="leftover_is_zero_or_more")
        ),
    ]

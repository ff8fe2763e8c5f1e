"""An index that finds the renewals of the next weeks. Charges of short periods are not in it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0006_quotes_show_what_else_runs")]

    operations = [
        migrations.AddIndex(
            model_name="charge",
            index=models.Index(
                fields=["period_end"],
                # 27 days in microseconds.
                condition=models.Q(full_length__gte=2_332_800_000_000),
                name="charge_by_end",
            ),
        ),
    ]

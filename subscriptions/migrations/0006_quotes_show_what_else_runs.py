"""Quotes remember how the other subscriptions of the book are after the change, and what those that start use."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0005_paid_before_use")]

    operations = [
        migrations.AddField(
            model_name="quote",
            name="others",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.AddField(
            model_name="quote",
            name="started_use",
            field=models.BigIntegerField(default=0),
        ),
    ]

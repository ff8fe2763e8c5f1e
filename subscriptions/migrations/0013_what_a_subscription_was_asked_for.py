"""A key that is used again finds its subscription only for the same request."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0012_fractions_outlive_their_use")]

    operations = [
        migrations.AddField("subscription", "asked", models.CharField(editable=False, max_length=64, null=True)),
    ]

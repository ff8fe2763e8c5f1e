"""A request to subscribe that is sent again finds the subscription it made."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0003_guards")]

    operations = [
        migrations.AddField("subscription", "request_key", models.CharField(editable=False, max_length=255, null=True)),
        migrations.AddConstraint(
            "subscription",
            models.UniqueConstraint(fields=("customer", "request_key"), name="one_subscription_per_request"),
        ),
    ]

"""What a program sends with a payment: the pages to which the customer goes back, its reference, and its metadata."""

from django.db import migrations, models

TEXTS = [("success_url", 500), ("cancel_url", 500), ("client_reference_id", 200)]


def _text(length: int) -> models.CharField:
    return models.CharField(max_length=length, default="", db_default="", blank=True, editable=False)


class Migration(migrations.Migration):
    dependencies = [("payments", "0024_today")]

    operations = [
        *(migrations.AddField("payment", name, _text(length)) for name, length in TEXTS),
        migrations.AddField(
            "payment", "metadata", models.JSONField(default=dict, db_default={}, blank=True, editable=False)
        ),
    ]

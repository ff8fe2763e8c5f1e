"""Quotes for plan changes."""

import functools

from django.db import migrations, models
from django.db.models import Q

import core.ids


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0002_subscriptions_and_charges")]

    operations = [
        migrations.CreateModel(
            name="Quote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(
                        default=functools.partial(core.ids.new_id, *("quo",), **{}),
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                (
                    "when",
                    models.CharField(
                        choices=[("now", "now"), ("period_end", "at the period's end")], default="now", max_length=10
                    ),
                ),
                ("as_of", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("takes_effect_at", models.DateTimeField(null=True)),
                ("lines", models.JSONField()),
                ("balance_before", models.BigIntegerField()),
                ("balance_after", models.BigIntegerField()),
                ("status_after", models.CharField(max_length=10)),
                ("next_charge_at", models.DateTimeField(null=True)),
                ("next_charge_amount", models.BigIntegerField(null=True)),
                ("used_at", models.DateTimeField(null=True)),
                ("price", models.ForeignKey(on_delete=models.PROTECT, related_name="+", to="subscriptions.price")),
                (
                    "subscription",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="quotes", to="subscriptions.subscription"),
                ),
            ],
        ),
        migrations.AddIndex(
            "quote",
            models.Index(condition=Q(("used_at__isnull", True)), fields=["expires_at"], name="quote_not_accepted"),
        ),
    ]

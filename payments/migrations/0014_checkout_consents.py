"""Consents that are given at a checkout, and come into force once the payment has saved its method."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("payments", "0013_method_setups")]

    operations = [
        migrations.CreateModel(
            name="CheckoutConsent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("words", models.TextField()),
                ("language", models.CharField(max_length=8)),
                ("version", models.PositiveSmallIntegerField()),
                ("address", models.GenericIPAddressField(null=True)),
                ("given_at", models.DateTimeField()),
                ("dropped_at", models.DateTimeField(null=True)),
                ("consent", models.OneToOneField(
                    null=True, on_delete=django.db.models.deletion.PROTECT, related_name="checkout",
                    to="payments.consent",
                )),
                ("payment", models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="checkout_consent",
                    to="payments.payment",
                )),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=~Q(words=""), name="checkout_consent_has_words"),
                    models.CheckConstraint(
                        condition=Q(consent__isnull=True) | Q(dropped_at__isnull=True),
                        name="a_dropped_checkout_consent_becomes_none",
                    ),
                ],
            },
        ),
    ]  # fmt: skip

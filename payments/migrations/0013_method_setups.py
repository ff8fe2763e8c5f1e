"""Pages on which customers save a payment method without paying."""

import functools

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0012_auto_top_ups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MethodSetup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(
                    default=functools.partial(core.ids.new_id, "set"), editable=False, max_length=40, unique=True
                )),
                ("gateway", models.CharField(max_length=20)),
                ("gateway_id", models.CharField(max_length=120, null=True)),
                ("confirmation_url", models.TextField(blank=True, default="")),
                ("language", models.CharField(max_length=8)),
                ("status", models.CharField(
                    choices=[("open", "open"), ("saved", "saved"), ("ended", "ended")], default="open", max_length=10
                )),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("check_at", models.DateTimeField(editable=False, null=True)),
                ("checks", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("failures", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("parked_reason", models.CharField(blank=True, default="", editable=False, max_length=200)),
                ("customer", models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="method_setups",
                    to=settings.AUTH_USER_MODEL,
                )),
                ("method", models.ForeignKey(
                    null=True, on_delete=django.db.models.deletion.PROTECT, related_name="setups",
                    to="payments.paymentmethod",
                )),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("gateway", "gateway_id"), name="one_setup_per_gateway_object"),
                    models.UniqueConstraint(
                        condition=Q(status="open"), fields=("customer", "gateway"),
                        name="one_open_setup_per_customer_and_gateway",
                    ),
                    models.CheckConstraint(
                        condition=Q(status="saved", method__isnull=False)
                        | (~Q(status="saved") & Q(method__isnull=True)),
                        name="only_a_saved_setup_has_a_method",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=Q(check_at__isnull=False), fields=["check_at"], name="setup_to_check"
                    ),
                ],
            },
        ),
    ]  # fmt: skip

"""The tables of the sandbox gateway."""

import functools

from django.db import migrations, models
from django.db.models import Q

import core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="SandboxSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "session_id",
                    models.CharField(
                        default=functools.partial(core.ids.new_id, *("sbx",), **{}),
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("idempotency_key", models.CharField(max_length=100, unique=True)),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("description", models.CharField(max_length=200)),
                ("return_url", models.CharField(max_length=500)),
                ("cancel_url", models.CharField(max_length=500)),
                ("language", models.CharField(default="en", max_length=8)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("requires_action", "bank asks to confirm"),
                            ("processing", "processing"),
                            ("succeeded", "succeeded"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                            ("expired", "expired"),
                        ],
                        default="open",
                        max_length=20,
                    ),
                ),
                ("outcome", models.CharField(blank=True, default="", max_length=40)),
                ("amount_received", models.BigIntegerField(null=True)),
                ("failure_code", models.CharField(blank=True, default="", max_length=60)),
                ("succeeds_at", models.DateTimeField(null=True)),
                ("unreachable_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SandboxRefund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "refund_id",
                    models.CharField(
                        default=functools.partial(core.ids.new_id, *("sbr",), **{}),
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("idempotency_key", models.CharField(max_length=100, unique=True)),
                ("amount", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
                (
                    "session",
                    models.ForeignKey(on_delete=models.CASCADE, related_name="refunds", to="sandbox.sandboxsession"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SandboxDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "event_id",
                    models.CharField(
                        default=functools.partial(core.ids.new_id, *("sevt",), **{}), editable=False, max_length=40
                    ),
                ),
                ("type", models.CharField(max_length=40)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(null=True)),
                ("last_status", models.CharField(blank=True, default="", max_length=120)),
                (
                    "session",
                    models.ForeignKey(on_delete=models.CASCADE, related_name="deliveries", to="sandbox.sandboxsession"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=Q(("next_try_at__isnull", False)), fields=["next_try_at"], name="sandbox_delivery_due"
                    )
                ]
            },
        ),
    ]

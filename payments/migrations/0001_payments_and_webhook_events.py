"""The tables of payments and webhook events."""

import functools

from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [("subscriptions", "0003_quotes"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="WebhookEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gateway", models.CharField(max_length=20)),
                ("event_id", models.CharField(max_length=120)),
                ("type", models.CharField(max_length=80)),
                ("gateway_id", models.CharField(max_length=120)),
                ("payload", models.JSONField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("received", "received"),
                            ("processed", "processed"),
                            ("parked", "parked"),
                            ("ignored", "ignored"),
                        ],
                        default="received",
                        max_length=10,
                    ),
                ),
                ("outcome", models.CharField(blank=True, default="", max_length=300)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("received_at", models.DateTimeField()),
                ("processed_at", models.DateTimeField(null=True)),
                ("next_try_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=Q(("next_try_at__isnull", False)), fields=["next_try_at"], name="webhook_event_due"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("gateway", "event_id"), name="webhook_event_is_stored_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("idempotency_key", models.CharField(editable=False, max_length=64, null=True)),
                ("fingerprint", models.CharField(editable=False, max_length=64, null=True)),
                (
                    "public_id",
                    models.CharField(
                        default=functools.partial(core.ids.new_id, *("pay",), **{}),
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("unknown", "unknown"),
                            ("confirmed", "confirmed"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                            ("expired", "expired"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("description", models.CharField(blank=True, default="", max_length=200)),
                ("opened_subscription", models.BooleanField(default=False)),
                ("gateway", models.CharField(max_length=20)),
                ("gateway_id", models.CharField(max_length=120, null=True)),
                ("gateway_state", models.CharField(blank=True, default="", editable=False, max_length=20)),
                ("confirmation_url", models.CharField(blank=True, default="", max_length=500)),
                ("language", models.CharField(blank=True, default="", editable=False, max_length=8)),
                ("failure_code", models.CharField(blank=True, default="", max_length=60)),
                ("parked_reason", models.CharField(blank=True, default="", max_length=200)),
                ("amount_refunded", models.BigIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("check_at", models.DateTimeField(null=True)),
                ("checks", models.PositiveSmallIntegerField(default=0)),
                (
                    "customer",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="payments", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        null=True, on_delete=models.PROTECT, related_name="payments", to="subscriptions.plan"
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        null=True, on_delete=models.PROTECT, related_name="payments", to="subscriptions.subscription"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["customer", "-id"], name="payment_by_customer"),
                    models.Index(
                        condition=Q(("check_at__isnull", False)), fields=["check_at"], name="payment_to_check"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(condition=Q(("amount__gt", 0)), name="payment_is_more_than_zero"),
                    models.CheckConstraint(
                        condition=Q(
                            Q(("confirmed_at__isnull", False), ("status", "confirmed")),
                            Q(Q(("status", "confirmed"), _negated=True), ("confirmed_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="only_a_confirmed_payment_was_confirmed",
                    ),
                    models.CheckConstraint(
                        condition=Q(("amount_refunded__gte", 0), ("amount_refunded__lte", F("amount"))),
                        name="refunds_never_exceed_the_payment",
                    ),
                    models.UniqueConstraint(fields=("gateway", "gateway_id"), name="one_payment_per_gateway_object"),
                    models.UniqueConstraint(fields=("customer", "idempotency_key"), name="one_payment_per_request"),
                    models.UniqueConstraint(
                        condition=Q(("parked_reason", ""), ("status__in", ["pending", "unknown"])),
                        fields=("subscription",),
                        name="one_open_payment_per_subscription",
                    ),
                ],
            },
        ),
    ]

"""Subscriptions, charges, trials and billing clocks."""

import functools

from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0001_plans_and_prices"),
        ("ledger", "0001_accounts_and_transactions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("idempotency_key", models.CharField(editable=False, max_length=64, null=True)),
                ("fingerprint", models.CharField(editable=False, max_length=64, null=True)),
                (
                    "public_id",
                    models.CharField(
                        default=functools.partial(core.ids.new_id, *("sub",), **{}),
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("quantity", models.PositiveIntegerField(default=1)),
                ("periods", models.PositiveIntegerField(default=1, help_text="How many intervals one payment covers.")),
                ("auto_renew", models.BooleanField(default=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("trialing", "trialing"),
                            ("active", "active"),
                            ("past_due", "past due"),
                            ("suspended", "suspended"),
                            ("paused", "paused"),
                            ("cancelled", "cancelled"),
                            ("expired", "expired"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("anchor_at", models.DateTimeField(null=True)),
                ("period_number", models.PositiveIntegerField(default=0)),
                ("period_start", models.DateTimeField(null=True)),
                ("period_end", models.DateTimeField(null=True)),
                ("period_paid", models.BigIntegerField(default=0)),
                ("period_length", models.BigIntegerField(default=0)),
                ("paused_left", models.BigIntegerField(null=True)),
                ("trial_end", models.DateTimeField(null=True)),
                ("grace_end", models.DateTimeField(null=True)),
                ("billed_until", models.DateTimeField(null=True)),
                ("remainder", models.BigIntegerField(default=0)),
                ("cancel_requested", models.BooleanField(default=False)),
                ("next_period_end", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("entry_count", models.PositiveIntegerField(default=0)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.PROTECT,
                        related_name="subscriptions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="subscriptions", to="subscriptions.price"),
                ),
                (
                    "scheduled_price",
                    models.ForeignKey(
                        db_index=False, null=True, on_delete=models.PROTECT, related_name="+", to="subscriptions.price"
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="subscriptions", to="ledger.account"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Charge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("period_start", models.DateTimeField()),
                ("period_end", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("void_as", models.BigIntegerField(db_default=0, default=0)),
                ("amount", models.BigIntegerField()),
                ("remainder_before", models.BigIntegerField(null=True)),
                ("remainder_after", models.BigIntegerField(null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "refund",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=models.DO_NOTHING,
                        related_name="refunded_charge",
                        to="ledger.transaction",
                    ),
                ),
                (
                    "transaction",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=models.DO_NOTHING,
                        related_name="charge",
                        to="ledger.transaction",
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.DO_NOTHING,
                        related_name="+",
                        to="subscriptions.price",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.PROTECT,
                        related_name="charges",
                        to="subscriptions.subscription",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Trial",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_at", models.DateTimeField()),
                (
                    "customer",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="trials", to=settings.AUTH_USER_MODEL),
                ),
                ("plan", models.ForeignKey(on_delete=models.PROTECT, related_name="trials", to="subscriptions.plan")),
            ],
        ),
        migrations.CreateModel(
            name="BillingClock",
            fields=[
                (
                    "wallet",
                    models.OneToOneField(
                        on_delete=models.PROTECT,
                        primary_key=True,
                        related_name="billing_clock",
                        serialize=False,
                        to="ledger.account",
                    ),
                ),
                ("settled_at", models.DateTimeField(null=True)),
                ("leftover", models.BigIntegerField(db_default=0, default=0)),
                ("due_at", models.DateTimeField(null=True)),
                ("noticed_hours", models.PositiveSmallIntegerField(null=True, help_text="Told so many hours before the end.")),
                ("parked_at", models.DateTimeField(null=True)),
                ("parked_reason", models.TextField(blank=True, default="")),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "billing clock",
                "indexes": [
                    models.Index(
                        condition=Q(("due_at__isnull", False), ("parked_at__isnull", True)),
                        fields=["due_at"],
                        name="book_due",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(condition=Q(("leftover__gte", 0)), name="leftover_is_zero_or_more")
                ],
            },
        ),
        migrations.AddConstraint(
            "subscription",
            models.UniqueConstraint(fields=("customer", "idempotency_key"), name="one_subscription_per_request"),
        ),
        migrations.AddConstraint(
            "subscription",
            models.CheckConstraint(condition=Q(("quantity__gte", 1)), name="subscription_quantity_is_one_or_more"),
        ),
        migrations.AddConstraint(
            "subscription",
            models.CheckConstraint(condition=Q(("periods__gte", 1)), name="subscription_periods_is_one_or_more"),
        ),
        migrations.AddConstraint(
            "subscription", models.CheckConstraint(condition=Q(("remainder__gte", 0)), name="remainder_is_zero_or_more")
        ),
        migrations.AddConstraint(
            "subscription",
            models.CheckConstraint(
                condition=Q(
                    Q(("ended_at__isnull", False), ("status__in", ["cancelled", "expired"])),
                    Q(Q(("status__in", ["cancelled", "expired"]), _negated=True), ("ended_at__isnull", True)),
                    _connector="OR",
                ),
                name="only_a_final_subscription_has_ended",
            ),
        ),
        migrations.AddConstraint(
            "subscription",
            models.CheckConstraint(
                condition=Q(Q(("status", "trialing"), _negated=True), ("trial_end__isnull", False), _connector="OR"),
                name="trialing_has_a_trial_end",
            ),
        ),
        migrations.AddConstraint(
            "subscription",
            models.CheckConstraint(
                condition=Q(Q(("status", "past_due"), _negated=True), ("grace_end__isnull", False), _connector="OR"),
                name="past_due_has_a_grace_end",
            ),
        ),
        migrations.AddConstraint(
            "subscription",
            models.CheckConstraint(
                condition=Q(
                    Q(("status", "active"), _negated=True),
                    ("billed_until__isnull", False),
                    ("period_end__isnull", False),
                    _connector="OR",
                ),
                name="active_is_paid_for_or_metered",
            ),
        ),
        migrations.AddConstraint(
            "subscription",
            models.CheckConstraint(
                condition=Q(
                    ("next_period_end__isnull", True),
                    Q(
                        ("next_period_end__gte", F("period_end")),
                        ("scheduled_price__isnull", False),
                        ("status", "active"),
                    ),
                    _connector="OR",
                ),
                name="agreed_change_has_its_price_and_period",
            ),
        ),
        migrations.AddConstraint(
            "charge",
            models.UniqueConstraint(
                fields=("subscription", "period_start", "void_as"), name="one_charge_per_subscription_and_start"
            ),
        ),
        migrations.AddConstraint(
            "charge",
            models.CheckConstraint(
                condition=Q(
                    Q(
                        ("void_as", 0),
                        Q(("ended_at__isnull", True), ("ended_at__gt", F("period_start")), _connector="OR"),
                    ),
                    Q(Q(("void_as", 0), _negated=True), ("ended_at", F("period_start")), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="only_an_empty_charge_is_void",
            ),
        ),
        migrations.AddConstraint(
            "charge", models.CheckConstraint(condition=Q(("amount__gte", 0)), name="charge_is_zero_or_more")
        ),
        migrations.AddConstraint(
            "charge",
            models.CheckConstraint(
                condition=Q(
                    ("period_end__gt", F("period_start")),
                    Q(("period_end", F("period_start")), Q(("void_as", 0), _negated=True)),
                    _connector="OR",
                ),
                name="charge_has_a_span",
            ),
        ),
        migrations.AddConstraint(
            "charge",
            models.CheckConstraint(
                condition=Q(
                    ("ended_at__isnull", True),
                    Q(("ended_at__gte", F("period_start")), ("ended_at__lte", F("period_end"))),
                    _connector="OR",
                ),
                name="charge_ends_within_its_span",
            ),
        ),
        migrations.AddConstraint(
            "charge",
            models.CheckConstraint(
                condition=Q(
                    Q(("amount", 0), ("transaction__isnull", True)),
                    Q(("amount__gt", 0), ("transaction__isnull", False)),
                    _connector="OR",
                ),
                name="charge_above_zero_has_a_transaction",
            ),
        ),
        migrations.AddConstraint(
            "trial", models.UniqueConstraint(fields=("customer", "plan"), name="one_trial_per_customer_and_plan")
        ),
        # A billing run renews all subscriptions of a page in one transaction and changes no indexed column. In a
        # half-empty page the new versions fit, and no renewal touches an index; in a full page every renewal would.
        migrations.RunSQL(
            "ALTER TABLE subscriptions_subscription SET (fillfactor = 50)",
            "ALTER TABLE subscriptions_subscription RESET (fillfactor)",
        ),
    ]

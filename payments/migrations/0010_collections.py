"""Consents, collections with their plans and decisions, default methods, and payments that charge a saved method."""

import functools

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import core.ids

OPEN = {"status__in": ["waiting", "charging", "action_required"]}


def public_id(prefix: str) -> models.CharField:
    default = functools.partial(core.ids.new_id, prefix)
    return models.CharField(default=default, editable=False, max_length=40, unique=True)


def number() -> models.BigAutoField:
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def link(to: str, related_name: str, **more: object) -> models.ForeignKey:
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name=related_name, to=to, **more)


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0004_bank"),
        ("payments", "0009_returns_at_gateways"),
        ("subscriptions", "0007_reminders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("paymentmethod", "is_default", models.BooleanField(default=False)),
        migrations.AddField("paymentmethod", "refused_at", models.DateTimeField(null=True)),
        migrations.AddField("paymentmethod", "refused_code", models.CharField(blank=True, default="", max_length=60)),
        migrations.AddConstraint(
            "paymentmethod",
            models.UniqueConstraint(
                condition=Q(is_default=True, removed_at__isnull=True), fields=("customer",),
                name="one_default_method_per_customer",
            ),
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", number()),
                ("public_id", public_id("con")),
                ("purpose", models.CharField(
                    choices=[("renewals", "renewals"), ("top_ups", "automatic top-ups")], max_length=10
                )),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                ("words", models.TextField()),
                ("language", models.CharField(max_length=8)),
                ("version", models.PositiveSmallIntegerField()),
                ("address", models.GenericIPAddressField(null=True)),
                ("given_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("customer", link(settings.AUTH_USER_MODEL, "consents")),
                ("method", link("payments.paymentmethod", "consents")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(withdrawn_at__isnull=True), fields=("customer", "purpose", "currency"),
                        name="one_consent_per_customer_and_purpose",
                    ),
                    models.CheckConstraint(
                        condition=Q(purpose="renewals", currency="")
                        | Q(purpose="top_ups", currency__regex="^[A-Z]{3}$"),
                        name="consent_to_top_ups_names_a_currency",
                    ),
                    models.CheckConstraint(condition=~Q(words=""), name="consent_has_words"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Collection",
            fields=[
                ("id", number()),
                ("public_id", public_id("col")),
                ("currency", models.CharField(max_length=3)),
                ("kind", models.CharField(choices=[("renewal", "renewal")], max_length=12)),
                ("cause", models.CharField(max_length=120, unique=True)),
                ("due_at", models.DateTimeField()),
                ("status", models.CharField(
                    choices=[
                        ("waiting", "waiting"), ("charging", "charging"), ("action_required", "action required"),
                        ("collected", "collected"), ("covered", "covered"), ("given_up", "given up"),
                        ("stopped", "stopped"),
                    ],
                    default="waiting", max_length=16,
                )),
                ("amount", models.BigIntegerField(default=0)),
                ("declines", models.PositiveSmallIntegerField(default=0)),
                ("declined_at", models.DateTimeField(null=True)),
                ("next_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, default="", max_length=40)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("customer", link(settings.AUTH_USER_MODEL, "collections")),
                ("wallet", link("ledger.account", "collections")),
                ("subscriptions", models.ManyToManyField(related_name="collections", to="subscriptions.subscription")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(**OPEN), fields=("wallet",), name="one_open_collection_per_wallet"
                    ),
                    models.CheckConstraint(
                        condition=Q(**OPEN, ended_at__isnull=True) | (~Q(**OPEN) & Q(ended_at__isnull=False)),
                        name="only_an_ended_collection_has_an_end",
                    ),
                    models.CheckConstraint(
                        condition=Q(status="waiting", next_at__isnull=False)
                        | (~Q(status="waiting") & Q(next_at__isnull=True)),
                        name="only_a_waiting_collection_has_a_next_attempt",
                    ),
                    models.CheckConstraint(condition=Q(amount__gte=0), name="collection_is_zero_or_more"),
                ],
                "indexes": [models.Index(fields=["customer", "-id"], name="collection_by_customer")],
            },
        ),
        migrations.CreateModel(
            name="CollectionPlan",
            fields=[
                ("wallet", models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name="collection_plan",
                    serialize=False, to="ledger.account",
                )),
                ("check_at", models.DateTimeField(null=True)),
                ("checks", models.PositiveIntegerField(default=0)),
                ("failures", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("parked_reason", models.CharField(blank=True, default="", editable=False, max_length=200)),
                ("seen_settled_at", models.DateTimeField(null=True)),
                ("seen_balance", models.BigIntegerField(null=True)),
                ("customer", link(settings.AUTH_USER_MODEL, "+")),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=Q(check_at__isnull=False), fields=["check_at"], name="collection_plan_to_check"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CollectionDecision",
            fields=[
                ("id", number()),
                ("outcome", models.CharField(max_length=30)),
                ("line", models.CharField(max_length=300)),
                ("at", models.DateTimeField()),
                ("collection", link("payments.collection", "decisions", null=True)),
                ("customer", link(settings.AUTH_USER_MODEL, "+")),
                ("wallet", link("ledger.account", "collection_decisions")),
            ],
            options={"indexes": [models.Index(fields=["wallet", "-id"], name="decision_by_wallet")]},
        ),
        migrations.AddField("payment", "method", link("payments.paymentmethod", "charges", editable=False, null=True)),
        migrations.AddField("payment", "collection", link("payments.collection", "attempts", editable=False, null=True)),
        migrations.AddField(
            "payment", "decline", models.CharField(blank=True, default="", editable=False, max_length=20)
        ),
        migrations.AddConstraint(
            "payment",
            models.UniqueConstraint(
                condition=Q(status__in=["pending", "unknown"]), fields=("collection",),
                name="one_open_attempt_per_collection",
            ),
        ),
        migrations.AddConstraint(
            "payment",
            models.CheckConstraint(
                condition=Q(method__isnull=True, collection__isnull=True)
                | Q(method__isnull=False, collection__isnull=False, subscription__isnull=True, plan__isnull=True),
                name="a_charge_is_an_attempt_to_top_up",
            ),
        ),
    ]

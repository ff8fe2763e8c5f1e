"""Rules by which customers have their balance topped up automatically, and the collections that follow them."""

import functools

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0011_collection_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AutoTopUp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(
                    default=functools.partial(core.ids.new_id, "atu"), editable=False, max_length=40, unique=True
                )),
                ("currency", models.CharField(max_length=3)),
                ("threshold", models.BigIntegerField(null=True)),
                ("amount", models.BigIntegerField(null=True)),
                ("days_ahead", models.PositiveSmallIntegerField(null=True)),
                ("monthly_cap", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("stopped_at", models.DateTimeField(null=True)),
                ("stopped_reason", models.CharField(blank=True, default="", max_length=40)),
                ("capped_at", models.DateTimeField(null=True)),
                ("consent", models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="auto_top_up", to="payments.consent"
                )),
                ("customer", models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="auto_top_ups",
                    to=settings.AUTH_USER_MODEL,
                )),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(ended_at__isnull=True), fields=("customer", "currency"), name="one_rule_per_wallet"
                    ),
                    models.CheckConstraint(
                        condition=Q(threshold__gt=0, amount__gt=0, days_ahead__isnull=True)
                        | Q(threshold__isnull=True, amount__isnull=True, days_ahead__gt=0),
                        name="rule_has_a_threshold_or_days",
                    ),
                    models.CheckConstraint(condition=Q(monthly_cap__gt=0), name="monthly_cap_is_more_than_zero"),
                    models.CheckConstraint(
                        condition=Q(stopped_at__isnull=True, stopped_reason="")
                        | (Q(stopped_at__isnull=False) & ~Q(stopped_reason="")),
                        name="only_a_stopped_rule_has_a_reason",
                    ),
                ],
            },
        ),
        migrations.AddField(
            "collection",
            "rule",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="collections",
                to="payments.autotopup",
            ),
        ),
        migrations.AlterField(
            "collection",
            "kind",
            models.CharField(
                choices=[("renewal", "renewal"), ("top_up", "automatic top-up")], max_length=12
            ),
        ),
        migrations.AddConstraint(
            "collection",
            models.CheckConstraint(
                condition=Q(kind="top_up", rule__isnull=False) | Q(kind="renewal", rule__isnull=True),
                name="only_a_top_up_has_a_rule",
            ),
        ),
    ]

"""Plans and the versions of their prices."""

import django.db.models.functions.text
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Now


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=60, unique=True)),
                ("name", models.CharField(max_length=100)),
                ("name_ru", models.CharField(blank=True, max_length=100, verbose_name="name in Russian")),
                ("description", models.CharField(blank=True, max_length=300)),
                ("description_ru", models.CharField(blank=True, max_length=300, verbose_name="description in Russian")),
                ("features", models.JSONField(blank=True, default=list)),
                ("features_ru", models.JSONField(blank=True, default=list, verbose_name="features in Russian")),
                (
                    "is_highlighted",
                    models.BooleanField(default=False, help_text="Shown as the popular plan."),
                ),
                (
                    "is_public",
                    models.BooleanField(default=True, help_text="Off: hidden from new customers. Subscribers keep it."),
                ),
                ("position", models.PositiveSmallIntegerField(default=0)),
            ],
            options={"ordering": ["position", "id"]},
        ),
        migrations.CreateModel(
            name="Price",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField(help_text="In minor units: 9900 is 99.00 roubles.")),
                (
                    "interval",
                    models.CharField(
                        choices=[
                            ("second", "second"),
                            ("minute", "minute"),
                            ("hour", "hour"),
                            ("day", "day"),
                            ("week", "week"),
                            ("month", "month"),
                            ("year", "year"),
                        ],
                        default="month",
                        max_length=6,
                    ),
                ),
                ("interval_count", models.PositiveSmallIntegerField(default=1)),
                ("metered", models.BooleanField(default=False)),
                ("trial_days", models.PositiveSmallIntegerField(default=0)),
                ("grace_days", models.PositiveSmallIntegerField(default=0)),
                ("archived_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False)),
                ("plan", models.ForeignKey(on_delete=models.PROTECT, related_name="prices", to="subscriptions.plan")),
            ],
        ),
        migrations.AddConstraint(
            "price", models.UniqueConstraint(fields=("plan", "currency", "version"), name="price_version_is_unique")
        ),
        migrations.AddConstraint(
            "price",
            models.UniqueConstraint(
                condition=Q(("archived_at__isnull", True)),
                fields=("plan", "currency"),
                name="plan_has_one_current_price",
            ),
        ),
        migrations.AddConstraint(
            "price",
            models.CheckConstraint(
                condition=Q(("amount__gte", 0), ("amount__lte", 1000000000000)),
                name="price_is_zero_or_more_and_bounded",
            ),
        ),
        migrations.AddConstraint(
            "price",
            models.CheckConstraint(condition=Q(("interval_count__gte", 1)), name="price_interval_count_is_one_or_more"),
        ),
        migrations.AddConstraint(
            "price",
            models.CheckConstraint(
                condition=Q(
                    ("metered", False), ("interval__in", ["second", "minute", "hour", "day", "week"]), _connector="OR"
                ),
                name="metered_price_has_a_fixed_interval",
            ),
        ),
        migrations.AddConstraint(
            "price",
            models.CheckConstraint(
                condition=Q(
                    ("metered", True), ("interval__in", ["hour", "day", "week", "month", "year"]), _connector="OR"
                ),
                name="advance_price_is_for_an_hour_or_longer",
            ),
        ),
        migrations.AddConstraint(
            "price",
            models.CheckConstraint(
                condition=Q(("metered", False), ("grace_days", 0), _connector="OR"), name="metered_price_has_no_grace"
            ),
        ),
        migrations.AddConstraint(
            "price",
            models.CheckConstraint(
                condition=Q(
                    ("grace_days", 0),
                    Q(
                        ("interval__in", ["day", "week", "month", "year"]),
                        Q(
                            Q(("interval", "day"), _negated=True),
                            ("grace_days__lt", F("interval_count")),
                            _connector="OR",
                        ),
                        Q(
                            Q(("interval", "week"), _negated=True),
                            (
                                "grace_days__lt",
                                django.db.models.expressions.CombinedExpression(
                                    F("interval_count"), "*", models.Value(7)
                                ),
                            ),
                            _connector="OR",
                        ),
                        Q(
                            Q(("interval", "month"), _negated=True),
                            (
                                "grace_days__lt",
                                django.db.models.expressions.CombinedExpression(
                                    F("interval_count"), "*", models.Value(28)
                                ),
                            ),
                            _connector="OR",
                        ),
                        Q(
                            Q(("interval", "year"), _negated=True),
                            (
                                "grace_days__lt",
                                django.db.models.expressions.CombinedExpression(
                                    F("interval_count"), "*", models.Value(365)
                                ),
                            ),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="grace_is_shorter_than_the_interval",
            ),
        ),
        migrations.AddConstraint(
            "price",
            models.CheckConstraint(condition=Q(("currency__regex", "^[A-Z]{3}$")), name="price_currency_is_iso_4217"),
        ),
    ]

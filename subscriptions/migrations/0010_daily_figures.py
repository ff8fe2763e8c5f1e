"""Figures of closed days by currency."""

from django.db import migrations, models
from django.db.models import Q

AMOUNTS = ["cash_in", "cash_out", "wallets", "new", "expansion", "contraction", "churn", "reactivation"]


class Migration(migrations.Migration):

    dependencies = [("subscriptions", "0009_parked_rows"), ("ledger", "0007_today")]

    operations = [
        migrations.CreateModel(
            name="DailyFigure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                ("plans", models.DecimalField(decimal_places=6, default=0, max_digits=30)),
                ("usage", models.DecimalField(decimal_places=6, default=0, max_digits=30)),
                *((name, models.BigIntegerField(default=0)) for name in AMOUNTS),
                ("gained", models.IntegerField(default=0)),
                ("lost", models.IntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["currency", "day"], name="one_figure_per_currency_and_day"),
                    models.CheckConstraint(condition=Q(cash_in__gte=0, cash_out__gte=0), name="cash_is_zero_or_more"),
                    models.CheckConstraint(
                        condition=Q(
                            new__gte=0, expansion__gte=0, reactivation__gte=0, contraction__lte=0, churn__lte=0,
                            gained__gte=0, lost__gte=0,
                        ),
                        name="mrr_moves_in_the_direction_of_its_name",
                    ),
                ],
            },
        ),
    ]

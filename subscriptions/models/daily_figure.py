"""Figures of the whole site by day and currency."""

from django.db import models
from django.db.models import Q


class DailyFigure(models.Model):
    """The figures of one closed day in UTC, in minor units. Only subscriptions.daily writes it; it says what they mean.

    All can be worked out again from charges, events and the ledger: the rows save the time of doing so for each page.
    """

    day = models.DateField()
    currency = models.CharField(max_length=3)
    # Revenue recognised (subscriptions.revenue).
    plans = models.DecimalField(max_digits=30, decimal_places=6, default=0)
    usage = models.DecimalField(max_digits=30, decimal_places=6, default=0)
    # Cash, and by how much customers' balances rose (ledger.cash).
    cash_in = models.BigIntegerField(default=0)
    cash_out = models.BigIntegerField(default=0)
    wallets = models.BigIntegerField(default=0)
    # Movements of the MRR, and of the number of customers who have some (subscriptions.mrr).
    new = models.BigIntegerField(default=0)
    expansion = models.BigIntegerField(default=0)
    contraction = models.BigIntegerField(default=0)
    churn = models.BigIntegerField(default=0)
    reactivation = models.BigIntegerField(default=0)
    gained = models.IntegerField(default=0)
    lost = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["currency", "day"], name="one_figure_per_currency_and_day"),
            models.CheckConstraint(condition=Q(cash_in__gte=0, cash_out__gte=0), name="cash_is_zero_or_more"),
            models.CheckConstraint(
                condition=Q(
                    new__gte=0, expansion__gte=0, reactivation__gte=0, contraction__lte=0, churn__lte=0, gained__gte=0,
                    lost__gte=0,
                ),
                name="mrr_moves_in_the_direction_of_its_name",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.day} {self.currency}"

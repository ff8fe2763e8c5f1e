"""Plans and the versions of their prices."""

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from ledger.display import money
from ledger.money import EXPONENTS, Money
from subscriptions.engine.calendar import IN_A_YEAR, MOST_YEARS, is_within_calendar

# Intervals of each kind of price. A meter needs intervals of a fixed length; paying ahead starts at an hour.
METERED = ["second", "minute", "hour", "day", "week"]
ADVANCE = ["hour", "day", "week", "month", "year"]

# The fewest days that an interval may have.
SHORTEST_DAYS = {"day": 1, "week": 7, "month": 28, "year": 365}
# In minor units.
LARGEST_PRICE = 10**12


class Plan(models.Model):
    """Something to subscribe to. Its prices say what it costs."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=100)
    name_ru = models.CharField(_("name in Russian"), max_length=100, blank=True)
    description = models.CharField(max_length=300, blank=True)
    description_ru = models.CharField(_("description in Russian"), max_length=300, blank=True)
    # Lists of short strings, shown on the pricing page.
    features = models.JSONField(default=list, blank=True)
    features_ru = models.JSONField(_("features in Russian"), default=list, blank=True)
    is_highlighted = models.BooleanField(default=False, help_text=_("Shown as the popular plan."))
    is_public = models.BooleanField(default=True, help_text=_("Off: hidden from new customers. Subscribers keep it."))
    needs_confirmed_email = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("Only customers who have confirmed their email address can order it, as free trials may want."),
    )
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(Lower("code"), name="plan_code_is_unique_whatever_its_case")]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The name in the current language."""
        return (self.name_ru if get_language() == "ru" else "") or self.name

    @property
    def summary(self) -> str:
        return (self.description_ru if get_language() == "ru" else "") or self.description

    @property
    def points(self) -> list[str]:
        return (self.features_ru if get_language() == "ru" else []) or self.features


class Price(models.Model):
    """One version of a plan's price in one currency. A trigger forbids changes once a subscription uses it."""

    class Interval(models.TextChoices):
        SECOND = "second", _("second")
        MINUTE = "minute", _("minute")
        HOUR = "hour", _("hour")
        DAY = "day", _("day")
        WEEK = "week", _("week")
        MONTH = "month", _("month")
        YEAR = "year", _("year")

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="prices")
    version = models.PositiveIntegerField(default=1, editable=False)
    currency = models.CharField(max_length=3)
    # Minor units for `interval_count` intervals.
    amount = models.BigIntegerField(help_text=_("In minor units: 9900 is 99.00 roubles."))
    interval = models.CharField(max_length=6, choices=Interval.choices, default=Interval.MONTH)
    interval_count = models.PositiveSmallIntegerField(default=1)
    # False ("advance"): the amount buys the next interval. True: the amount is a rate, charged for the time used.
    metered = models.BooleanField(default=False)
    # On the price, not on the plan: a change must not affect existing subscriptions.
    trial_days = models.PositiveSmallIntegerField(default=0)
    grace_days = models.PositiveSmallIntegerField(default=0)
    keep_days = models.PositiveSmallIntegerField(
        default=30, help_text=_("How many days a suspended subscription waits for money before it expires.")
    )
    trial_quantity_max = models.PositiveIntegerField(
        default=10, validators=[MinValueValidator(1)], help_text=_("The largest quantity that a trial is given for.")
    )
    can_pause = models.BooleanField(default=True, help_text=_("Customers may pause the subscription."))
    can_refund_unused = models.BooleanField(
        default=True, help_text=_("Who cancels a paid period may have its unused time back.")
    )
    # Set when a newer version replaces it: not sold any more, but existing subscriptions keep it.
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Set by a trigger when a subscription first uses or schedules it. From then on the terms cannot change.
    used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "currency", "version"], name="price_version_is_unique"),
            models.UniqueConstraint(
                fields=["plan", "currency"], condition=Q(archived_at__isnull=True), name="plan_has_one_current_price"
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0, amount__lte=10**12), name="price_is_zero_or_more_and_bounded"
            ),
            models.CheckConstraint(condition=Q(interval_count__gte=1), name="price_interval_count_is_one_or_more"),
            models.CheckConstraint(
                condition=Q(metered=False) | Q(interval__in=METERED), name="metered_price_has_a_fixed_interval"
            ),
            models.CheckConstraint(
                condition=Q(metered=True) | Q(interval__in=ADVANCE), name="advance_price_is_for_an_hour_or_longer"
            ),
            models.CheckConstraint(condition=Q(metered=False) | Q(grace_days=0), name="metered_price_has_no_grace"),
            models.CheckConstraint(condition=Q(trial_quantity_max__gte=1), name="trial_quantity_max_is_one_or_more"),
            models.CheckConstraint(
                condition=Q(grace_days=0)
                | Q(interval__in=["day", "week", "month", "year"])
                & (~Q(interval="day") | Q(grace_days__lt=F("interval_count")))
                & (~Q(interval="week") | Q(grace_days__lt=F("interval_count") * 7))
                & (~Q(interval="month") | Q(grace_days__lt=F("interval_count") * 28))
                & (~Q(interval="year") | Q(grace_days__lt=F("interval_count") * 365)),
                name="grace_is_shorter_than_the_interval",
            ),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="price_currency_is_iso_4217"),
        ]

    def __str__(self) -> str:
        said = {"plan": self.plan.title, "amount": money(Money(self.amount, self.currency)), "version": self.version}
        return gettext("%(plan)s: %(amount)s, version %(version)s") % said

    def clean(self) -> None:
        """Refuse terms that cannot be sold, by field. Prices used or archived already are not checked again."""
        if self.used_at or self.archived_at:
            return
        wrong = {"amount": self._wrong_amount(), "interval": self._wrong_interval()}
        wrong["interval_count"] = "" if wrong["interval"] else self._wrong_count()
        is_unclear = not self.metered and (wrong["interval"] or wrong["interval_count"])
        wrong["grace_days"] = "" if is_unclear else self._wrong_grace()
        if errors := {field: said for field, said in wrong.items() if said}:
            raise ValidationError(errors)

    def _wrong_amount(self) -> str:
        """Return what is wrong with the amount, and what is allowed; empty if nothing is."""
        amount: int | None = self.amount  # None if a form has refused it.
        if self.currency not in EXPONENTS or amount is None or 0 <= amount <= LARGEST_PRICE:
            return ""
        limits = {"least": Money(0, self.currency), "most": Money(LARGEST_PRICE, self.currency)}
        return gettext("Amount: from %(least)s to %(most)s.") % limits

    def _wrong_interval(self) -> str:
        allowed = METERED if self.metered else ADVANCE
        if self.interval in allowed:
            return ""
        words = {"sent": self.interval, "allowed": ", ".join(allowed)}
        said = (
            gettext("Interval: a metered price needs one of %(allowed)s. You sent %(sent)s.")
            if self.metered
            else gettext("Interval: a price paid in advance needs one of %(allowed)s. You sent %(sent)s.")
        )
        return said % words

    def _wrong_count(self) -> str:
        if self.interval_count < 1:
            return gettext("Interval count: 1 or more. You sent %d.") % self.interval_count
        if self.metered or is_within_calendar(self.interval, self.interval_count):
            return ""
        most = {"most": MOST_YEARS * IN_A_YEAR[self.interval], "interval": self.interval, "years": MOST_YEARS}
        return (
            gettext("Interval count: at most %(most)d for the interval %(interval)s, which is %(years)d years.") % most
        )

    def _wrong_grace(self) -> str:
        if not self.grace_days:
            return ""
        if self.metered:
            return gettext("Grace days: a metered price has none, because it is charged as it is used. Enter 0.")
        if self.interval not in SHORTEST_DAYS:
            return gettext("Grace days: a price for hours has none. Enter 0.")
        days = SHORTEST_DAYS[self.interval] * self.interval_count
        if self.grace_days < days:
            return ""
        said = gettext("Grace days: fewer than the interval has, which may be %(days)d days: at most %(most)d.")
        return said % {"days": days, "most": days - 1}

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

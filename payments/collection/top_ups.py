"""Automatic top-ups: the customer's rule, its consent, when it charges and how much, its cap, and what stops it."""

from datetime import UTC, datetime, timedelta
from math import lcm

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from core.errors import DomainError
from events import outbox
from ledger import display
from ledger.money import Money
from payments import amounts
from payments.collection import consents
from payments.collection.causes import HORIZON, Cause
from payments.collection.consents import Purpose
from payments.gateways import registry
from payments.gateways.charges import NOT_MADE
from payments.models import AutoTopUp, Collection, Dispute, Payment, PaymentMethod, Refund
from subscriptions import reserves
from subscriptions.overview import View

log = structlog.get_logger(__name__)

# So many attempts within a day stop a rule: something is wrong with its numbers, the use or the card.
MOST_A_DAY = 3
DAY = timedelta(days=1)
# A customer has cancelled an attempt: nothing is tried for a day.
CANCELLED = "cancelled_lately"
# One of the rule's top-ups was refunded: nothing is tried for a day, or the money would be taken again at once.
REFUNDED = "refunded_lately"
# The customer's bank takes a payment back: the rule stops.
DISPUTED = "disputed"
# Why a rule does not charge at the moment; none of these stops it.
PASSING = frozenset({CANCELLED, REFUNDED, consents.GATEWAY_OFF})
# How long a rule waits after a declined attempt.
BACK_OFF = timedelta(hours=1)
# The most days that can be kept ahead.
MOST_DAYS = 90


class RuleInvalid(DomainError):
    """The numbers of a rule contradict each other, or the gateway does not take the amount."""

    code = "auto_top_up_invalid"


def words(method: PaymentMethod, currency: str, *, threshold: int | None, amount: int | None, days: int | None,
          cap: int) -> str:  # fmt: skip
    """Return what a customer agrees to with a rule, in the current language. Amounts are in minor units."""
    values = {"site": settings.SITE_NAME, "method": method, "cap": display.money(Money(cap, currency)), "days": days}
    if days is not None:
        text = _(
            "I agree that %(site)s charges %(method)s when my balance lasts for fewer than %(days)d days, with what "
            "makes it last for twice as long, and at most %(cap)s in a calendar month. I can turn this off at any "
            "time on my account page."
        )
        return text % values
    text = _(
        "I agree that %(site)s charges %(method)s with %(amount)s whenever my balance falls below %(threshold)s, and "
        "at most %(cap)s in a calendar month. I can turn this off at any time on my account page."
    )
    sums = {"amount": Money(amount or 0, currency), "threshold": Money(threshold or 0, currency)}
    return text % (values | {name: display.money(money) for name, money in sums.items()})


def turn_on(
    method: PaymentMethod, currency: str, *, cap: int, address: str | None, now: datetime,
    threshold: int | None = None, amount: int | None = None, days: int | None = None,
) -> AutoTopUp:  # fmt: skip
    """Record the consent and the rule, in place of the one before, and return the rule.

    Either `threshold` and `amount`, in minor units, or `days`. Raises RuleInvalid, which names the field, and
    consents.MethodNotUsable.
    """
    if reason := consents.obstacle(method, now=now):
        raise consents.MethodNotUsable(_("This payment method cannot be used for automatic payments."), reason=reason)
    check(method, currency, threshold=threshold, amount=amount, days=days, cap=cap)
    said = words(method, currency, threshold=threshold, amount=amount, days=days, cap=cap)
    with transaction.atomic():
        consents.hold(method.customer_id)
        turn_off(method.customer_id, currency, now=now)
        agreement = consents.agreed(said, address=address, now=now)
        consent = consents.give(method, Purpose.TOP_UPS, agreement, now=now, currency=currency)
        return AutoTopUp.objects.create(
            customer_id=method.customer_id, currency=currency, consent=consent, threshold=threshold, amount=amount,
            days_ahead=days, monthly_cap=cap, created_at=now,
        )  # fmt: skip


def turn_off(customer_id: int, currency: str, *, now: datetime) -> None:
    """End the rule of a wallet and withdraw its consent. Without a rule it does nothing."""
    with transaction.atomic():
        # Two clicks wait for each other.
        consents.hold(customer_id)
        AutoTopUp.objects.filter(customer=customer_id, currency=currency, ended_at=None).update(ended_at=now)
        consent = consents.in_force(customer_id, Purpose.TOP_UPS, currency)
        if consent is not None:
            consents.withdraw(consent, now=now)


def rule_of(customer_id: int, currency: str) -> AutoTopUp | None:
    """Return the rule of a wallet that is on, None if there is none."""
    rules = AutoTopUp.objects.filter(customer=customer_id, currency=currency, ended_at=None, stopped_at=None)
    rules = rules.filter(consent__withdrawn_at=None)
    return rules.select_related("consent__method").first()


def cause(view: View, rule: AutoTopUp) -> Cause | None:
    """Return when the rule charges next, by arithmetic; None if that is not in sight.

    It does not depend on when anybody looks: a look that comes late finds the instant in the past.
    """
    if view.book.is_blocked:
        return None
    now = view.now
    if rule.days_ahead is not None:
        dry_at = reserves.runs_out(view, until=now + HORIZON)
        charge_at = None if dry_at is None else max(now, dry_at - rule.days_ahead * DAY)
        due_at = dry_at
    else:
        charge_at = due_at = reserves.falls_below(view, rule.threshold or 0, until=now + HORIZON)
    if charge_at is None or due_at is None:
        return None
    name = f"top_up:{rule.public_id}:{Collection.objects.filter(rule=rule).count() + 1}"
    return Cause(name=name, due_at=due_at, charge_at=charge_at, rule=rule)


def missing(view: View, rule: AutoTopUp) -> int:
    """Return what the rule charges now, in minor units; 0 if the balance is above the threshold, or lasts.

    Nothing is charged while the account is closed.
    """
    if view.book.is_blocked:
        return 0
    if rule.days_ahead is None:
        return (rule.amount or 0) if view.available < (rule.threshold or 0) else 0
    ahead = rule.days_ahead * DAY
    # `runs_out` finds what happens up to its end only, and `cause` charges at the instant that is just so far ahead.
    dry_at = reserves.runs_out(view, until=view.now + ahead + timedelta(seconds=1))
    return 0 if dry_at is None else reserves.enough_for(view, 2 * ahead)


def hindrance(rule: AutoTopUp, amount: int, *, now: datetime) -> str:
    """Return why the rule may not charge `amount` now, as a code; "" if it may."""
    if _attempts(rule).filter(created_at__gt=now - DAY).count() >= MOST_A_DAY:
        return "burst"
    if _disputes(rule).exists():
        return DISPUTED
    cancelled = Collection.objects.filter(rule=rule, status=Collection.Status.STOPPED, reason="cancelled")
    if cancelled.filter(ended_at__gt=now - DAY).exists():
        return CANCELLED
    if _attempts(rule).filter(refunds__in=_sent_back(now)).exists():
        return REFUNDED
    return "monthly_cap" if spent(rule, now=now) + amount > rule.monthly_cap else ""


def spent(rule: AutoTopUp, *, now: datetime) -> int:
    """Return what the customer's rules for this wallet have charged in this calendar month, what is open included."""
    rows = Payment.objects.filter(
        collection__rule__customer=rule.customer_id, collection__rule__currency=rule.currency,
        created_at__gte=_month(now), status__in=("pending", "unknown", "confirmed"),
    )  # fmt: skip
    return rows.aggregate(sum=Sum("amount"))["sum"] or 0


def next_month(now: datetime) -> datetime:
    """Return when the cap counts anew."""
    return (_month(now) + 32 * DAY).replace(day=1)


def _month(now: datetime) -> datetime:
    """Return when the calendar month in UTC began."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def stop(rule: AutoTopUp, reason: str, *, now: datetime) -> None:
    """Stop a rule, and tell the customer and staff. It is not charged any more until the customer turns it on anew."""
    on = AutoTopUp.objects.filter(pk=rule.pk, stopped_at=None)
    if on.update(stopped_at=now, stopped_reason=reason[:40]):
        log.error("auto_top_up_stopped", rule=rule.public_id, reason=reason)
        _record_event(rule, "stopped", now=now, reason=reason)


def note_cap(rule: AutoTopUp, *, now: datetime) -> None:
    """Tell the customer, once a month, that the cap stands in the way."""
    told = Q(capped_at__gte=_month(now))
    if AutoTopUp.objects.filter(pk=rule.pk).exclude(told).update(capped_at=now):
        _record_event(rule, "cap_reached", now=now)


def check(
    method: PaymentMethod, currency: str, *, threshold: int | None, amount: int | None, days: int | None, cap: int
) -> None:
    """Raise RuleInvalid, which names the field and says what is allowed."""
    limits = registry.can(method.gateway).currencies.get(currency)
    if limits is None:
        raise RuleInvalid(_("This payment method cannot pay in %s.") % currency, param="currency")
    least, most = limits
    own = settings.TOP_UP_LIMITS.get(currency, limits)
    least, most = max(least, own[0]), min(most, own[1])
    if days is not None:
        if threshold is not None or amount is not None:
            raise RuleInvalid(_("Choose a threshold with an amount, or a number of days, not both."), param="days")
        if not 1 <= days <= MOST_DAYS:
            raise RuleInvalid(_("The days must be from 1 to %d.") % MOST_DAYS, param="days")
    elif threshold is None or not 0 < threshold <= most:
        raise RuleInvalid(_("The threshold must be above zero and at most %s.") % display.money(Money(most, currency)),
                          param="threshold")  # fmt: skip
    elif amount is None or not least <= amount <= most:
        values = {"least": display.money(Money(least, currency)), "most": display.money(Money(most, currency))}
        raise RuleInvalid(_("The amount must be from %(least)s to %(most)s.") % values, param="amount")
    elif amounts.chargeable(amount, currency, method.gateway) != amount:
        # Never charge more than the words say.
        step = lcm(registry.step(currency), registry.step(currency, method.gateway))
        said = {"step": display.money(Money(step, currency)), "sent": display.money(Money(amount, currency))}
        text = _("A top-up must be a multiple of %(step)s. You sent %(sent)s.") % said
        raise RuleInvalid(text, param="amount")
    lowest = amount or least
    if cap < lowest:
        raise RuleInvalid(
            _("The monthly limit must be at least %s.") % display.money(Money(lowest, currency)), param="cap"
        )


def _sent_back(now: datetime) -> QuerySet[Refund]:
    """Return the refunds to a card or account of the last day."""
    rows = Refund.objects.filter(created_at__gt=now - DAY, destination=Refund.Destination.CARD, is_void=False)
    return rows.exclude(status=Refund.Status.FAILED)


def _disputes(rule: AutoTopUp) -> QuerySet[Dispute]:
    """Return the disputes that the customer has opened since the rule was set up, and not lost."""
    rows = Dispute.objects.filter(payment__customer=rule.customer_id, created_at__gte=rule.created_at)
    return rows.exclude(status=Dispute.Status.WON)


def _attempts(rule: AutoTopUp) -> QuerySet[Payment]:
    """Return the attempts of the customer's rules for this wallet, but for those that never reached the gateway."""
    own = {"collection__rule__customer": rule.customer_id, "collection__rule__currency": rule.currency}
    never_sent = Q(failure_code=NOT_MADE) | Q(status=Payment.Status.CANCELLED, gateway_id=None)
    return Payment.objects.filter(**own).exclude(never_sent)


def _record_event(rule: AutoTopUp, kind: str, *, now: datetime, **more: object) -> None:
    data = {
        "currency": rule.currency, "method": str(rule.consent.method), "link": "/account/automatic-payments/",
        "monthly_cap": {"value": Money(rule.monthly_cap, rule.currency).plain(), "currency": rule.currency}, **more,
    }  # fmt: skip
    outbox.record([outbox.Fact(rule.customer_id, f"auto_top_up.{kind}", rule.public_id, now, data)])

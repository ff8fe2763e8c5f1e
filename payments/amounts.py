"""The amount due at a checkout. The server calculates it from its own rows, never from the client's figures."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import User
from core.errors import DomainError
from ledger.money import EXPONENTS, LARGEST, Money
from payments.models import Payment
from subscriptions import catalogue, overview
from subscriptions.models import Plan, Price, Subscription

Status = Subscription.Status
# States in which money starts or revives a subscription.
WAITING = (Status.PENDING, Status.SUSPENDED, Status.PAST_DUE)


class AmountMismatch(DomainError):
    """The client sent an amount other than the amount due."""

    code = "amount_mismatch"
    param = "amount"


class AmountOutOfRange(DomainError):
    """The amount is below the minimum or above the maximum of one payment."""

    code = "amount_out_of_range"
    param = "amount"


class CurrencyNotTaken(DomainError):
    """Top-ups in this currency are not accepted."""

    code = "currency_not_taken"
    param = "currency"


class NothingToPay(DomainError):
    """The plan costs nothing now, or the wallet already covers it."""

    code = "nothing_to_pay"


class NotWaitingForMoney(DomainError):
    """The subscription is running, paused or over, so there is nothing to pay for."""

    code = "subscription_not_waiting"
    param = "subscription"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountDue:
    """An amount to pay and what it is for. `price` is set if the checkout opens a new subscription."""

    money: Money
    description: str
    plan: Plan | None = None
    price: Price | None = None
    subscription: Subscription | None = None


def for_plan(plan: Plan | str, *, customer: User, currency: str | None, quantity: int, periods: int) -> AmountDue:
    """Return the amount due for a new subscription.

    That is its first payment, or for a metered price `periods` intervals of use paid in advance. Raises NothingToPay
    if the plan is free now or starts with a trial that this customer has not had.
    """
    price = catalogue.chosen(plan, customer=customer, currency=currency)
    for param, number in (("quantity", quantity), ("periods", periods)):
        if number < 1:
            raise AmountOutOfRange(_("%s must be 1 or more. You sent %d.") % (param, number), param=param)
    due = catalogue.cost(price, quantity, periods)
    if catalogue.awaits_trial(customer, price):
        raise NothingToPay(
            _("This plan starts with a free trial of %(days)d days. Subscribe directly with POST /api/subscriptions/.")
            % {"days": price.trial_days}
        )
    if due == 0:
        raise NothingToPay(
            _("There is nothing to pay for this plan now. Subscribe directly with POST /api/subscriptions/.")
        )
    _check_size(due, price.currency, param="quantity")
    return AmountDue(money=Money(due, price.currency), description=price.plan.title, plan=price.plan, price=price)


def for_subscription(subscription: Subscription, *, now: datetime) -> AmountDue:
    """Return the amount due to start or revive an existing subscription.

    A pending or a metered one costs the same as a new one. A suspended or past due one costs what the wallet lacks for
    the next period. Raises NotWaitingForMoney in any other state, NothingToPay if the wallet holds enough.
    """
    price = subscription.price
    view = overview.peek(subscription.customer, price.currency, now=now)
    status = Status(view.status_of(subscription))
    if status not in WAITING:
        raise NotWaitingForMoney(
            _("Subscription %(id)s is %(status)s. Only pending, suspended and past_due subscriptions wait for payment.")
            % {"id": subscription.public_id, "status": status},
            state=status,
        )
    due = _prepaid(subscription) or catalogue.cost(price, subscription.quantity, subscription.periods)
    if status != Status.PENDING and not price.metered:
        due = max(due - view.available, 0)
    if due == 0:
        raise NothingToPay(_("The balance is enough for this subscription. There is nothing to pay now."))
    return AmountDue(
        money=Money(due, price.currency), description=price.plan.title, plan=price.plan, subscription=subscription
    )


def _prepaid(subscription: Subscription) -> int | None:
    """Return the amount of metered use that the first checkout ordered, in minor units."""
    if not subscription.price.metered:
        return None
    opening = Payment.objects.filter(subscription=subscription, opened_subscription=True, plan=subscription.price.plan)
    return opening.values_list("amount", flat=True).first()


def for_top_up(amount: int | None, currency: str | None) -> AmountDue:
    """Return the amount due for a top-up; raise AmountOutOfRange outside settings.TOP_UP_LIMITS."""
    currency = check_taken(currency)
    least, most = settings.TOP_UP_LIMITS[currency]
    if amount is None or not least <= amount <= most:
        values = {
            "least": Money(least, currency),
            "most": Money(most, currency),
            "sent": _("nothing") if amount is None else Money(amount, currency),
        }
        raise AmountOutOfRange(_("A top-up must be from %(least)s to %(most)s. You sent %(sent)s.") % values)
    return AmountDue(money=Money(amount, currency), description=_("Top-up"))


def check_taken(currency: str | None) -> str:
    """Return the currency if top-ups are accepted in it; otherwise raise CurrencyNotTaken, which lists those."""
    limits: dict[str, tuple[int, int]] = settings.TOP_UP_LIMITS
    if currency is None or currency not in limits:
        values = {"sent": currency, "allowed": ", ".join(limits)}
        raise CurrencyNotTaken(_("You can top up in %(allowed)s. You sent %(sent)s.") % values)
    return currency


def check_amount(due: AmountDue, amount: int | None, currency: str | None) -> None:
    """Raise AmountMismatch if the client sent an amount or a currency that differs from what is due."""
    sent = Money(due.money.amount if amount is None else amount, currency or due.money.currency)
    if sent != due.money:
        shown = sent if sent.currency in EXPONENTS else f"{sent.amount} {sent.currency}"
        raise AmountMismatch(
            _("The amount due is %(due)s. You sent %(sent)s. Omit the amount, or send the amount due.")
            % {"due": due.money, "sent": shown},
            due={"value": due.money.plain(), "currency": due.money.currency},
        )


def _check_size(amount: int, currency: str, *, param: str) -> None:
    if amount > LARGEST:
        most = Money(LARGEST, currency)
        raise AmountOutOfRange(_("One payment can be at most %(most)s.") % {"most": most}, param=param)

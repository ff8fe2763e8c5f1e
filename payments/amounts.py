"""The amount due at a checkout. The server calculates it from its own rows, never from the client's figures."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import User
from core.errors import DomainError
from ledger.money import EXPONENTS, LARGEST, Money
from payments.gateways import registry
from subscriptions import catalogue, change_dues, confirmed_addresses, dues, overview
from subscriptions.change_dues import ChangeDues
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
    """No gateway that is offered takes this currency."""

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
    """An amount to pay and what it is for.

    `price` is set if the checkout opens a new subscription, `change` if it changes `subscription`.
    """

    money: Money
    # What the order itself costs, in minor units. The rest pays the debt, or stays on the balance.
    order_amount: int = 0
    description: str
    plan: Plan | None = None
    price: Price | None = None
    subscription: Subscription | None = None
    change: ChangeDues | None = None


def for_plan(
    plan: Plan | str, *, customer: User, currency: str | None, quantity: int, periods: int, now: datetime
) -> AmountDue:
    """Return the amount due for a new subscription.

    That is its first payment, or for a metered price `periods` intervals of use paid in advance, and the debt. Raises
    NothingToPay if the plan is free now or starts with a trial that this customer has not had, AddressNotConfirmed if
    it asks for a confirmed address.
    """
    price = catalogue.chosen(plan, customer=customer, currency=currency)
    confirmed_addresses.check(customer, price.plan)
    for param, number in (("quantity", quantity), ("periods", periods)):
        if number < 1:
            raise AmountOutOfRange(_("%s must be 1 or more. You sent %d.") % (param, number), param=param)
    view = overview.peek(customer, price.currency, now=now)
    asked = dues.of_new_order(view, price, quantity=quantity, periods=periods)
    if dues.starts_with_trial(customer, price, quantity=quantity, view=view):
        raise NothingToPay(
            _("This plan starts with a free trial of %(days)d days. Subscribe directly with POST /api/subscriptions/.")
            % {"days": price.trial_days}
        )
    if asked.amount == 0:
        raise NothingToPay(
            _("There is nothing to pay for this plan now. Subscribe directly with POST /api/subscriptions/.")
        )
    _check_size(asked.amount, price.currency, param="quantity")
    return AmountDue(
        money=Money(asked.amount, price.currency), order_amount=asked.due, description=price.plan.title,
        plan=price.plan, price=price,
    )  # fmt: skip


def for_subscription(subscription: Subscription, *, now: datetime) -> AmountDue:
    """Return the amount due to start or revive an existing subscription, as its page shows it (subscriptions.dues).

    Raises NotWaitingForMoney if it is running, paused or over, NothingToPay if the balance or a trial is enough.
    """
    price = subscription.price
    view = overview.peek(subscription.customer, price.currency, now=now)
    asked = dues.one(view, subscription)
    if asked is None:
        raise not_waiting(subscription, now=now)
    if asked.amount == 0:
        raise NothingToPay(_("The balance is enough for this subscription. There is nothing to pay now."))
    _check_size(asked.amount, price.currency, param="subscription")
    return AmountDue(
        money=Money(asked.amount, price.currency), order_amount=asked.due, description=price.plan.title,
        plan=price.plan, subscription=subscription,
    )  # fmt: skip


def for_change(
    subscription: Subscription, price: Price, quantity: int | None, *, now: datetime, shown: int | None = None
) -> AmountDue:
    """Return the amount due for a change of the subscription, now, that the balance cannot pay.

    `shown` minor units are kept if they are still enough. Raises NothingToPay if the balance can, and Refused if the
    change would be refused for another reason.
    """
    change = change_dues.of(subscription, price, quantity=quantity, shown=shown, now=now)
    if change is None:
        raise NothingToPay(_("The balance is enough for this change. There is nothing to pay now."))
    _check_size(change.amount.amount, change.amount.currency, param="subscription")
    plan = change.quote.price.plan
    return AmountDue(
        money=change.amount, order_amount=change.amount.amount, description=plan.title, plan=plan,
        subscription=subscription, change=change,
    )  # fmt: skip


def not_waiting(subscription: Subscription, *, now: datetime) -> NotWaitingForMoney:
    """Return the refusal to pay for a subscription that waits for nothing."""
    status = overview.peek(subscription.customer, subscription.price.currency, now=now).status_of(subscription)
    return NotWaitingForMoney(
        _("Subscription %(id)s is %(status)s. Only pending, suspended and past_due subscriptions wait for payment.")
        % {"id": subscription.public_id, "status": status},
        state=status,
    )


def for_top_up(amount: int | None, currency: str | None, gateway: str | None = None) -> AmountDue:
    """Return the amount due for a top-up, at any of the offered gateways or at the one chosen.

    Raises CurrencyNotTaken, NoGateway, UnknownGateway, or AmountOutOfRange outside `top_up_limits` and between the
    steps of the currency.
    """
    currency = check_taken(currency)
    if gateway is not None:
        registry.offer(gateway, currency)
    least, most = top_up_limits(currency, gateway)
    if amount is None or not least <= amount <= most:
        values = {
            "least": Money(least, currency),
            "most": Money(most, currency),
            "sent": _("nothing") if amount is None else Money(amount, currency),
        }
        raise AmountOutOfRange(_("A top-up must be from %(least)s to %(most)s. You sent %(sent)s.") % values)
    step, taking = registry.step(currency, gateway), registry.names(currency, amount)
    if amount % step and not (gateway in taking if gateway else taking):
        words = {"step": Money(step, currency), "sent": Money(amount, currency)}
        raise AmountOutOfRange(_("A top-up must be a multiple of %(step)s. You sent %(sent)s.") % words)
    return AmountDue(money=Money(amount, currency), description=_("Top-up"))


def top_up_limits(currency: str, gateway: str | None = None) -> tuple[int, int]:
    """Return the smallest and the largest top-up in minor units, at the offered gateways or at one of them.

    Raises CurrencyNotTaken if none of them takes the currency.
    """
    possible = limits(currency, gateway)
    if possible is None:
        raise _not_taken(currency)
    return possible


def limits(currency: str, gateway: str | None = None) -> tuple[int, int] | None:
    """Return the least and the most of one payment in minor units, at the offered gateways or at one of them.

    settings.TOP_UP_LIMITS narrows what they take. None if none of them takes the currency. Raises UnknownGateway.
    """
    possible = registry.limits(currency, gateway)
    if possible is None:
        return None
    narrower: tuple[int, int] = settings.TOP_UP_LIMITS.get(currency, possible)
    return max(possible[0], narrower[0]), min(possible[1], narrower[1])


def payable(amount: int, currency: str) -> int:
    """Return the amount, raised to the least of one payment and to a step of the offered gateways. Minor units.

    If none of them takes the currency, it stays as it is.
    """
    possible = limits(currency)
    return amount if possible is None else round_up(max(amount, possible[0]), registry.step(currency))


def chargeable(missing: int, currency: str, gateway: str) -> int | None:
    """Return what to charge a saved method if so much is missing: raised to what is payable and its gateway takes.

    Minor units. None if the gateway takes no such amount.
    """
    can = registry.can(gateway)
    limits = can.currencies.get(currency)
    if limits is None or missing > limits[1]:
        return None
    raised = round_up(max(payable(missing, currency), limits[0]), can.steps.get(currency, 1))
    return raised if raised <= limits[1] else None


def round_up(amount: int, step: int) -> int:
    """Return the amount, raised to a multiple of `step`."""
    return -(-amount // step) * step


def check_taken(currency: str | None) -> str:
    """Return the currency if an offered gateway takes it; otherwise raise CurrencyNotTaken, which lists the others."""
    if currency is None or currency not in registry.currencies():
        raise _not_taken(currency)
    return currency


def _not_taken(currency: str | None) -> CurrencyNotTaken:
    values = {"sent": currency, "allowed": ", ".join(registry.currencies()) or "-"}
    return CurrencyNotTaken(_("You can top up in %(allowed)s. You sent %(sent)s.") % values)


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

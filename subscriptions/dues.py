"""What a subscription that waits for money is asked to pay. Pages, the API and checkouts all take it from here."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import User
from subscriptions import catalogue
from subscriptions.engine import shortage
from subscriptions.engine.activation import gets_trial, is_funded
from subscriptions.engine.metering import units
from subscriptions.engine.runway import HOUR
from subscriptions.engine.shortage import taken_first, use_after_start
from subscriptions.engine.subscription import REVIVABLE, Status, Sub
from subscriptions.models import Price, Subscription
from subscriptions.overview import View

# States in which money starts or revives a subscription.
WAITING = frozenset({Status.PENDING, Status.SUSPENDED, Status.PAST_DUE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dues:
    """What is asked for a subscription, in minor units of its currency, and what it is made of."""

    # The order or the next period; for a metered price the use that is paid ahead.
    due: int
    # What the customer owes. It is paid first, whatever the payment is for.
    debt: int = 0
    # An hour of the metered use that draws on the same balance: it must last until the payment arrives.
    use: int = 0
    # What older subscriptions take first: a payment for a past due one is a plain top-up.
    older: int = 0
    # What the balance pays of all this.
    from_balance: int = 0
    # What to pay, at least what gateways take; 0 if the balance or a trial is enough.
    amount: int
    # Whether it starts at once if the customer asks for it.
    can_start: bool = False

    @property
    def rounding(self) -> int:
        """The part of the amount that is asked only because gateways take no less. It stays on the balance."""
        return max(0, self.amount + self.from_balance - self.due - self.debt - self.use - self.older)


class _Order(NamedTuple):
    """What the checkout of a pending subscription ordered, if any, and what payments made for it have brought."""

    ordered: int = 0
    paid: int = 0


def of_new_order(view: View, price: Price, *, quantity: int, periods: int) -> Dues:
    """Return what a checkout asks for a new subscription: the whole price, whatever the balance, and the debt."""
    due = catalogue.cost(price, quantity, periods)
    return Dues(due=due, debt=view.debt, amount=payable(due + view.debt, view.currency) if due else 0)


def starts_with_trial(customer: User, price: Price, *, quantity: int, view: View) -> bool:
    """Tell whether a new subscription would start with a free trial. None is given while there is a debt."""
    is_small = quantity <= price.trial_quantity_max
    return is_small and not view.debt and catalogue.awaits_trial(customer, price)


def of(view: View, rows: Iterable[Subscription]) -> dict[int, Dues]:
    """Return what is asked for each of these subscriptions of one book, by primary key; those that wait for nothing
    are left out.
    """
    waiting = {row.pk: sub for row in rows if (sub := view.subs.get(row.pk)) and sub.status in WAITING}
    orders = _orders({pk: sub.terms.plan for pk, sub in waiting.items() if sub.status is Status.PENDING})
    return {
        pk: _of_order(view, sub, orders.get(pk, _Order())) if sub.status is Status.PENDING else _of_unpaid(view, sub)
        for pk, sub in waiting.items()
    }


def one(view: View, row: Subscription) -> Dues | None:
    """Return what is asked for one subscription, None if it does not wait for money."""
    return of(view, [row]).get(row.pk)


def with_revived(view: View, row: Subscription, lacking: int) -> int:
    """Return a top-up that leaves what is `lacking` for this subscription, after it has revived others of the book."""
    raised = partial(payable, currency=view.currency)
    return shortage.with_revived(view.book, lacking, but=view.subs[row.pk], time_to_pay=HOUR, raised=raised)


def payable(amount: int, currency: str) -> int:
    """Return the amount, raised to one that gateways take in this currency. Minor units.

    settings.PAYABLE_AMOUNT names the function that knows it: it belongs to the app above, which takes the payments.
    """
    raised: int = import_string(settings.PAYABLE_AMOUNT)(amount, currency)
    return raised


def _of_order(view: View, sub: Sub, order: _Order) -> Dues:
    """Return what an order is asked to pay: all of it, less what payments made for it have brought already.

    So an order that was changed to a dearer plan before its payment came is asked for the rest. Other money on the
    balance is not taken for granted: the customer may start it from the balance instead.
    """
    due = max(sub.rate, order.ordered) if sub.terms.metered else sub.due
    can_start = gets_trial(view.book, sub) or (is_funded(view.book, sub, view.at) and view.available >= due)
    if not due or gets_trial(view.book, sub):
        return Dues(due=due, amount=0, can_start=can_start)
    held = min(order.paid, max(0, view.book.balance - _use(view, sub))) if order.paid else 0
    lacking = due + view.debt - held
    amount = payable(lacking, view.currency) if lacking > 0 else 0
    return Dues(due=due, debt=view.debt, from_balance=held, amount=amount, can_start=can_start)


def _of_unpaid(view: View, sub: Sub) -> Dues:
    """Return what a suspended or past due subscription is asked to pay: what the balance lacks."""
    due = max(sub.rate, use_after_start(sub, HOUR)) if sub.terms.metered else sub.due
    can_start = sub.status is Status.SUSPENDED and is_funded(view.book, sub, view.at)
    if not due or can_start:
        return Dues(due=due, amount=0, can_start=can_start)
    use = _use(view, sub)
    older = _older(view, sub, due + view.debt + use) if sub.status is Status.PAST_DUE else 0
    total = due + view.debt + use + older
    held = min(total, view.book.balance)
    amount = payable(total - held, view.currency) if total > held else 0
    return Dues(due=due, debt=view.debt, use=use, older=older, from_balance=held, amount=amount)


def _older(view: View, sub: Sub, total: int) -> int:
    """Return what a payment that covers `total` for a past due subscription is spent on before it.

    It revives the older ones first, which a payment for a suspended one does not. Their meters are in `use` already.
    """
    before = [one for one in view.subs.values() if one.place < sub.place and one.status in REVIVABLE]
    balance = view.book.balance
    lacking = max(0, total - balance)
    return taken_first(
        [one.due for one in before if not one.terms.metered],
        lambda taken: balance - view.debt + payable(lacking + taken, view.currency),
    )


def _use(view: View, but: Sub) -> int:
    """Return what the other meters use of the balance within an hour: those that run, and the suspended ones, which
    run again with the money that comes.
    """
    running = sum(units(sub, view.at + HOUR) for sub in view.book.meters.values())
    revived = [sub for sub in view.subs.values() if sub.status is Status.SUSPENDED and sub.terms.metered]
    return running + sum(use_after_start(sub, HOUR) for sub in revived if sub is not but)


def _orders(plans: Mapping[int, Hashable]) -> dict[int, _Order]:
    """Return what was ordered and paid for pending subscriptions, given with their plans, in one query.

    Payments belong to the app above. They are read through the other end of their foreign key.
    """
    if not plans:
        return {}
    found: dict[int, _Order] = {}
    payments = Subscription.objects.filter(pk__in=plans, payments__isnull=False).values_list(
        "pk", "payments__plan", "payments__opened_subscription", "payments__order_amount", "payments__status",
        "payments__amount", "payments__amount_refunded",
    )  # fmt: skip
    for pk, for_plan, opened, order_amount, status, amount, refunded in payments:
        before = found.get(pk, _Order())
        ordered = order_amount if opened and plans[pk] == for_plan else 0
        paid = amount - refunded if status == "confirmed" else 0
        found[pk] = _Order(max(before.ordered, ordered), before.paid + paid)
    return found

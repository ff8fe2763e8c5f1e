"""Alice's subscriptions at instants that make round numbers. No test lives here."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from accounts.models import User
from subscriptions import catalogue, orders
from subscriptions.models import Subscription
from tests.subscriptions.bank import at
from tests.subscriptions.shop import pay_in

# In two minutes, when a change agreed on now takes effect, half of the 31 days from noon of 1 March are left.
NEAR_HALF = at(days=15, hours=11, minutes=58)
HALF = at(days=15, hours=12)


def bought(alice: User, plan: str, *, paid_in: int, when: datetime | None = None, **more: Any) -> Subscription:
    """A subscription in roubles, bought at noon of 1 March out of `paid_in` kopecks."""
    start = when or at()
    if paid_in:
        pay_in(alice, paid_in, at=start)
    return orders.subscribe(alice, catalogue.current(plan, "RUB"), now=start, **more)


def act(row: Subscription, now: datetime, do: Callable[[Any], None]) -> None:
    """Ask something of a subscription's book."""
    orders.change(row, now=now, act=do)


def address(row: Subscription, part: str = "") -> str:
    return f"/account/subscriptions/{row.public_id}/{part}"

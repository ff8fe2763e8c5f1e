"""What a checkout page offers: so much of a plan, what is due now, and what comes after it."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from accounts.models import User
from ledger.money import Money
from subscriptions import books, trials
from subscriptions.engine.calendar import DAY, plus, to_datetime, to_micros
from subscriptions.models import Price
from subscriptions.wording import span

# How many intervals may be paid for at once. Metered: how much use is paid in ahead.
PERIODS = {
    "second": (3600, 86_400),
    "minute": (60, 1440),
    "hour": (24, 168, 720),
    "day": (1, 7, 30),
    "week": (1, 4, 12),
    "month": (1, 3, 6, 12),
    "year": (1, 2, 3),
}
MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One plan, `quantity` times, for `periods` intervals, as it would be bought now."""

    price: Price
    quantity: int
    periods: int
    total: Money
    # In the wallet and not used up.
    balance: Money
    is_trial: bool
    # When the next payment falls due; None for metered use, which has none.
    next_at: datetime | None

    @property
    def due_now(self) -> Money:
        return Money(0, self.total.currency) if self.is_trial else self.total

    @property
    def address(self) -> str:
        """Where this very order is found again, on its plan's page."""
        return "?" + urlencode({"currency": self.price.currency, "quantity": self.quantity, "periods": self.periods})

    @property
    def covered(self) -> bool:
        """Whether the balance pays it. Metered use starts with anything above zero, but this much was asked for."""
        return not self.is_trial and self.balance.amount >= self.total.amount

    @property
    def starts_unpaid(self) -> bool:
        """Whether it may start out of the balance with nothing taken at first: metered use."""
        return self.covered and self.price.metered

    @property
    def needs_no_gateway(self) -> bool:
        return self.is_trial or self.total.amount == 0


def place(customer: User, price: Price, *, quantity: int, periods: int, now: datetime) -> Order:
    """Work out an order. Reads only."""
    wallet = books.peek(customer, price.currency, now=now)
    is_trial = trials.awaits(customer, price)
    return Order(
        price=price,
        quantity=quantity,
        periods=periods,
        total=Money(books.due(price, quantity, periods), price.currency),
        balance=Money(wallet.available, price.currency),
        is_trial=is_trial,
        next_at=_next(price, periods, is_trial=is_trial, now=now),
    )


def choices(price: Price, quantity: int) -> list[tuple[int, str, Money]]:
    """Return what may be chosen: intervals, their name, their cost."""
    return [
        (periods, span(price, periods), Money(books.due(price, quantity, periods), price.currency))
        for periods in PERIODS[price.interval]
    ]


def read(price: Price, periods: object, quantity: object) -> tuple[int, int]:
    """Read `periods` and `quantity` from an address; what is not offered becomes the least that is."""
    offered = PERIODS[price.interval]
    wanted = int(str(periods)) if str(periods).isdecimal() else offered[0]
    many = int(str(quantity)) if str(quantity).isdecimal() and len(str(quantity)) < 4 else 1
    return (wanted if wanted in offered else offered[0], min(max(many, 1), MOST))


def is_quantity(typed: str) -> bool:
    """Whether what was typed is a quantity on offer."""
    return typed.isdecimal() and len(typed) < 4 and 1 <= int(typed) <= MOST


def title(order: Order) -> str:
    """Name it in one line: `Standard, 3 months` or `2 × Standard, 3 months`."""
    name = _("%(plan)s, %(span)s") % {"plan": order.price.plan.title, "span": span(order.price, order.periods)}
    return name if order.quantity == 1 else f"{order.quantity} × {name}"


def _next(price: Price, periods: int, *, is_trial: bool, now: datetime) -> datetime | None:
    start = to_micros(now)
    if is_trial:
        return to_datetime(start + price.trial_days * DAY)
    if price.metered:
        return None
    return to_datetime(plus(start, price.interval, price.interval_count * periods))

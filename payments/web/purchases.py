"""What the checkout page offers: a plan, so many times, for so many intervals, with every amount that it shows."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from accounts.models import User
from ledger.money import Money
from subscriptions import catalogue, dues, overview
from subscriptions.dues import Dues
from subscriptions.labels import span
from subscriptions.models import Price

# The numbers of intervals offered, by interval: how many one payment buys, or for a metered price how much use to pay
# in advance.
PERIODS = {
    "second": (3600, 86_400),
    "minute": (60, 1440),
    "hour": (24, 168, 720),
    "day": (1, 7, 30),
    "week": (1, 4, 12),
    "month": (1, 3, 6, 12),
    "year": (1, 2, 3),
}
# The largest quantity.
MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What the page offers: a plan, `quantity` times, for `periods` intervals, at the current price."""

    price: Price
    quantity: int
    periods: int
    # The price of one payment.
    total: Money
    # What is asked for it now: the price, the debt, and what is added because gateways take no less.
    asked: Dues
    # The wallet's balance less what is used or due now but not posted yet.
    balance: Money
    is_trial: bool
    # Whether it would start with a free trial if the quantity were not too large for one.
    has_trial: bool
    # When the next payment is due; None for metered use, which has none.
    next_at: datetime | None

    @property
    def due_now(self) -> Money:
        return Money(0 if self.is_trial else self.asked.amount, self.total.currency)

    @property
    def debt(self) -> Money:
        """What the customer owes; a payment pays it first. A trial is not given then."""
        return Money(self.asked.debt, self.total.currency)

    @property
    def rounding(self) -> Money:
        """The part of the payment that only stays on the balance, because gateways take no less."""
        return Money(self.asked.rounding, self.total.currency)

    @property
    def address(self) -> str:
        """The query string that leads back to this purchase on its plan's page."""
        return "?" + urlencode({"currency": self.price.currency, "quantity": self.quantity, "periods": self.periods})

    @property
    def covered(self) -> bool:
        """Whether the balance covers the total. Metered use would start with less, but the customer chose this much."""
        return not self.is_trial and self.balance.amount >= self.total.amount

    @property
    def starts_unpaid(self) -> bool:
        """Whether it starts from the balance with nothing charged at first, as metered use does."""
        return self.covered and self.price.metered

    @property
    def needs_no_gateway(self) -> bool:
        return self.is_trial or self.total.amount == 0


def offer(customer: User, price: Price, *, quantity: int, periods: int, now: datetime) -> Purchase:
    """Return the purchase with its amounts. Reads only."""
    wallet = overview.peek(customer, price.currency, now=now)
    has_trial = dues.starts_with_trial(customer, price, quantity=1, view=wallet)
    is_trial = has_trial and quantity <= price.trial_quantity_max
    return Purchase(
        price=price,
        quantity=quantity,
        periods=periods,
        total=Money(catalogue.cost(price, quantity, periods), price.currency),
        asked=dues.of_new_order(wallet, price, quantity=quantity, periods=periods),
        balance=Money(wallet.available, price.currency),
        is_trial=is_trial,
        has_trial=has_trial,
        next_at=catalogue.next_payment_at(price, periods, is_trial=is_trial, now=now),
    )


def choices(price: Price, quantity: int) -> list[tuple[int, str, Money]]:
    """Return the offered numbers of intervals, each with its name and its cost."""
    return [
        (periods, span(price, periods), Money(catalogue.cost(price, quantity, periods), price.currency))
        for periods in PERIODS[price.interval]
    ]


def parse_terms(price: Price, periods: object, quantity: object) -> tuple[int, int]:
    """Return `periods` and `quantity` as numbers. Periods that are not offered become the smallest offered number.

    A quantity below or above the limits becomes the nearest limit; anything else becomes 1.
    """
    offered = PERIODS[price.interval]
    chosen = int(str(periods)) if str(periods).isdecimal() else offered[0]
    many = int(str(quantity)) if str(quantity).isdecimal() and len(str(quantity)) < 4 else 1
    return (chosen if chosen in offered else offered[0], min(max(many, 1), MOST))


def is_quantity(typed: str) -> bool:
    """Return whether the text is a quantity within the limits."""
    return typed.isdecimal() and len(typed) < 4 and 1 <= int(typed) <= MOST


def title(purchase: Purchase) -> str:
    """Return a purchase in one line: `Standard, 3 months` or `2 × Standard, 3 months`."""
    name = _("%(plan)s, %(span)s") % {"plan": purchase.price.plan.title, "span": span(purchase.price, purchase.periods)}
    return name if purchase.quantity == 1 else f"{purchase.quantity} × {name}"

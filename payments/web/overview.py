"""The account page put together: books, subscriptions, what needs the customer, the last movements."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from accounts.models import User
from ledger import statements
from ledger.models import Account
from ledger.money import Money
from ledger.web.log import Line
from payments import states
from payments.models import Payment
from payments.web.faces import WAITS_FOR_CUSTOMER, face_of
from payments.web.running_out import RunningOut, running_out
from subscriptions import forecast, holdings
from subscriptions.web.cards import Card, cards
from subscriptions.web.statement import named

LAST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """One wallet: what is in it, what of that is still free, and how it came to be so."""

    balance: Money
    available: Money
    lines: list[Line]
    # When it will not reach any more at the present use, and what ends then; None where nothing will.
    running_out: RunningOut | None

    @property
    def in_use(self) -> Money:
        """Used already, not yet written down."""
        return Money(self.balance.amount - self.available.amount, self.balance.currency)

    @property
    def used(self) -> Money:
        """The same as a movement that is still to come: below zero."""
        return Money(-self.in_use.amount, self.balance.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything the account page says."""

    purses: list[Purse]
    going_on: list[Card]
    over: list[Card]
    # Payments on their way: not in the balance yet.
    open_payments: list[Payment]
    # Open payments on which nothing happens before the customer acts.
    to_finish: list[Payment]

    @property
    def wanting(self) -> list[Card]:
        """Subscriptions that lack money, but for those that a payment is under way for: nobody shall pay twice."""
        paid_for = {payment.subscription_id for payment in [*self.open_payments, *self.to_finish]}
        return [card for card in self.going_on if card.holding.is_unpaid and card.row.pk not in paid_for]


def overview(customer: User, *, now: datetime) -> Overview:
    """Look at all of a customer's books at `now`. Reads only."""
    wallets = list(Account.objects.filter(owner=customer, kind=Account.Kind.WALLET).order_by("currency"))
    looked = holdings.of(customer, now=now)
    forecasts = forecast.by_currency(looked.views, now=now)
    available = {view.currency: view.available for view in looked.views}
    shown = cards(looked.rows().order_by("-id"), looked)
    going_on = [card for card in shown if not card.is_over]
    under_way = list(Payment.objects.filter(customer=customer, status__in=states.OPEN).order_by("-id"))
    to_finish = [payment for payment in under_way if face_of(payment, now=now) in WAITS_FOR_CUSTOMER]
    ending = partial(
        running_out,
        now=now,
        told={card.row.pk for card in going_on if card.holding.is_unpaid},
        coming_in={payment.currency for payment in under_way},
    )
    return Overview(
        purses=[
            _purse(wallet, available[wallet.currency], ending(forecasts.get(wallet.currency))) for wallet in wallets
        ],
        going_on=going_on,
        over=[card for card in shown if card.is_over],
        open_payments=[payment for payment in under_way if payment not in to_finish],
        to_finish=to_finish,
    )


def _purse(wallet: Account, available: int, ending: RunningOut | None) -> Purse:
    return Purse(
        balance=Money(wallet.balance or 0, wallet.currency),
        available=Money(available, wallet.currency),
        lines=list(named(statements.statement(wallet.pk, limit=LAST))),
        running_out=ending,
    )

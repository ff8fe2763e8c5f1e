"""What to pay in when money is missing for a change: what is missing, and what goes off it while the customer pays."""

from dataclasses import dataclass
from datetime import datetime

from ledger.money import Money
from subscriptions import books
from subscriptions.engine.subscription import Status
from subscriptions.web.cards import Card
from subscriptions.web.spans import HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """`missing` at this moment, to the unit. `meanwhile`: by so much it may grow within the next hour."""

    missing: Money
    meanwhile: Money

    @property
    def to_pay_in(self) -> Money:
        """Enough for a change within the hour: the exact amount would be too little before it is paid."""
        return Money(self.missing.amount + self.meanwhile.amount, self.missing.currency)


def shortfall(card: Card, missing: Money, *, now: datetime) -> Shortfall:
    """Work out how the missing amount grows: unused time is worth less by the second, and metered use goes on."""
    view = books.peek(card.row.customer, missing.currency, now=now)
    running = [sub for sub in view.subs.values() if sub.status is Status.ACTIVE and sub.terms.metered]
    use = sum(-(-sub.rate * HOUR // sub.terms.length) for sub in running)
    unused = -(-card.unused.amount * min(HOUR, card.left) // card.left) if card.left else 0
    return Shortfall(missing=missing, meanwhile=Money(use + unused, missing.currency))

"""What came out of a scenario, in the form that R7 of the billing rules lays down."""

from collections.abc import Iterable
from typing import Any

from ledger.money import Money
from subscriptions.engine.calendar import to_datetime


class Record:
    """Collects what happens while a scenario is played: movements of money, and who is live from when to when."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.rows: list[tuple[int, str, str | None, str, int, int]] = []
        self.spans: dict[str, list[list[int | None]]] = {}
        self.rejected: list[int] = []

    def entry(self, at: int, customer: str, subscription: str | None, reason: str, amount: int, balance: int) -> None:
        """Note one movement; those of one customer come in the order in which they were posted."""
        self.rows.append((at, customer, subscription, reason, amount, balance))

    def turn(self, at: int, subscription: str, is_live: bool) -> None:
        """Note that the subscription begins or ceases to be live. Touching spans are joined, empty ones dropped."""
        spans = self.spans.setdefault(subscription, [])
        if is_live and spans and spans[-1][1] == at:
            spans[-1][1] = None
        elif is_live:
            spans.append([at, None])
        elif spans[-1][0] == at:
            spans.pop()
        else:
            spans[-1][1] = at

    def outcome(self, balances: dict[str, int], statuses: dict[str, str]) -> dict[str, Any]:
        """Write everything out as JSON wants it: customers, subscriptions, rejected, transactions."""
        charged = dict.fromkeys(statuses, 0)
        for _, _, subscription, _, amount, _ in self.rows:
            if subscription is not None:
                charged[subscription] -= amount
        return {
            "customers": {name: {"balance": self.money(balance)} for name, balance in balances.items()},
            "subscriptions": {
                name: {"status": status, "charged": self.money(charged[name]), "access": self.access(name)}
                for name, status in statuses.items()
            },
            "rejected": self.rejected,
            "transactions": list(self.transactions()),
        }

    def transactions(self) -> Iterable[dict[str, Any]]:
        """Yield the movements by time, then customer, then as they were posted."""
        for at, customer, subscription, reason, amount, balance in sorted(self.rows, key=lambda row: row[:2]):
            yield {
                "at": written(at), "customer": customer, "subscription": subscription, "reason": reason,
                "amount": self.money(amount), "balance": self.money(balance),
            }  # fmt: skip

    def access(self, subscription: str) -> list[list[str | None]]:
        spans = self.spans.get(subscription, [])
        return [[None if instant is None else written(instant) for instant in span] for span in spans]

    def money(self, amount: int) -> str:
        return Money(amount, self.currency).plain()


def written(at: int) -> str:
    """Write an instant with a final Z, and microseconds only where they are not zero."""
    return to_datetime(at).isoformat().replace("+00:00", "Z")

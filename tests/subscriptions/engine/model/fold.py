"""Compare what happened, however metered charges were cut into rows."""

from datetime import datetime
from decimal import Decimal
from typing import Any


def fold(outcome: dict[str, Any]) -> list[Any]:
    """Return what does not depend on when a book was settled: other rows, and charges between them added up.

    The order of rows at one instant and their balances are left out, but for the balance at the end of the instant of
    a row that is no charge: at such an instant the book was settled.
    """
    folded: list[Any] = []
    for name in outcome["customers"]:
        rows = [row for row in outcome["transactions"] if row["customer"] == name]
        charged: dict[str, Decimal] = {}
        for at in sorted({datetime.fromisoformat(row["at"]) for row in rows}):
            now = [row for row in rows if datetime.fromisoformat(row["at"]) == at]
            other = [(row["reason"], row["subscription"], row["amount"]) for row in now if row["reason"] != "charge"]
            for row in now:
                if row["reason"] == "charge":
                    charged[row["subscription"]] = charged.get(row["subscription"], Decimal(0)) + Decimal(row["amount"])
            if other:
                folded.append((name, at, sorted(other, key=str), dict(charged), now[-1]["balance"]))
    return folded

"""Scenarios told in a few words, for tests worked out by hand. No test lives here."""

from typing import Any

from tests.subscriptions.simulation.scenario_files import play

Event = dict[str, Any]


def month(code: str, amount: str, **terms: Any) -> dict[str, Any]:
    return {"code": code, "amount": amount, "interval": "month", **terms}


def hour(code: str, amount: str, **terms: Any) -> dict[str, Any]:
    return {"code": code, "amount": amount, "interval": "hour", "metered": True, **terms}


# Ann is the only customer: top-ups and withdrawals are hers.
def top_up(at: str, amount: str) -> Event:
    return {"at": full(at), "do": "top_up", "customer": "ann", "amount": amount}


def withdraw(at: str, amount: str) -> Event:
    return {"at": full(at), "do": "withdraw", "customer": "ann", "amount": amount}


def subscribe(at: str, plan: str, name: str = "s", **more: Any) -> Event:
    return {"at": full(at), "do": "subscribe", "customer": "ann", "plan": plan, "as": name, **more}


def ask(at: str, what: str, name: str = "s", **more: Any) -> Event:
    """Ask something of a subscription: pause, resume, cancel, undo_cancel, change_plan."""
    return {"at": full(at), "do": what, "subscription": name, **more}


class Told:
    """A scenario that was played, with short words for what came of it."""

    def __init__(self, plans: list[dict[str, Any]], *events: Event, until: str, **more: Any) -> None:
        scenario = {"currency": "RUB", "until": full(until), "plans": plans, "events": list(events), **more}
        self.outcome = play(scenario)

    @property
    def balance(self) -> str:
        return str(self.outcome["customers"]["ann"]["balance"])

    @property
    def rejected(self) -> list[int]:
        return list(self.outcome["rejected"])

    def status(self, name: str = "s") -> str:
        return str(self.outcome["subscriptions"][name]["status"])

    def charged(self, name: str = "s") -> str:
        return str(self.outcome["subscriptions"][name]["charged"])

    def access(self, name: str = "s") -> list[list[str | None]]:
        """The spans in which it was live, as short as they are told: `03-01`, `03-01 12:00:35.999999`."""
        return [[short(instant) for instant in span] for span in self.outcome["subscriptions"][name]["access"]]

    def rows(self, name: str | None = "s") -> list[tuple[str | None, str, str]]:
        """The movements of a subscription: when, why, how much."""
        rows = [row for row in self.outcome["transactions"] if row["subscription"] == name]
        return [(short(row["at"]), row["reason"], row["amount"]) for row in rows]


def full(instant: str) -> str:
    """`03-01` or `03-01 12:00` or `03-01 12:00:00` of 2026, or with its own year."""
    day, _, time = instant.partition(" ")
    return f"{day if day.count('-') == 2 else f'2026-{day}'}T{time or '00'}{':00' * (2 - time.count(':'))}Z"


def short(instant: str | None) -> str | None:
    """The other way round."""
    if instant is None:
        return None
    day, time = instant.removeprefix("2026-").removesuffix("Z").split("T")
    return f"{day} {time.removesuffix(':00')}".removesuffix(" 00:00")

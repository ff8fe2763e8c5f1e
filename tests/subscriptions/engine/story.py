"""Short notation for scenarios that are calculated by hand. No test lives here."""

from typing import Any

from subscriptions.simulation import engine_stage
from subscriptions.simulation.scenario import read

Event = dict[str, Any]


def month(code: str, amount: str, **terms: Any) -> dict[str, Any]:
    return {"code": code, "amount": amount, "interval": "month", **terms}


def hour(code: str, amount: str, **terms: Any) -> dict[str, Any]:
    """Return a metered plan."""
    return {"code": code, "amount": amount, "interval": "hour", "metered": True, **terms}


# Ann is the only customer.
def top_up(at: str, amount: str, paid_for: str | None = None) -> Event:
    event = {"at": full(at), "do": "top_up", "customer": "ann", "amount": amount}
    return event | {"for": paid_for} if paid_for else event


def withdraw(at: str, amount: str) -> Event:
    return {"at": full(at), "do": "withdraw", "customer": "ann", "amount": amount}


def dispute(at: str, amount: str) -> Event:
    """Return a lost dispute: the customer's bank takes the money back."""
    return {"at": full(at), "do": "dispute_lost", "customer": "ann", "amount": amount}


def subscribe(at: str, plan: str, name: str = "s", **more: Any) -> Event:
    return {"at": full(at), "do": "subscribe", "customer": "ann", "plan": plan, "as": name, **more}


def request(at: str, do: str, name: str = "s", **more: Any) -> Event:
    """Return a request about a subscription: pause, resume, start, cancel, change_plan and so on."""
    return {"at": full(at), "do": do, "subscription": name, **more}


class Story:
    """A played scenario, with short access to its outcome."""

    def __init__(self, plans: list[dict[str, Any]], *events: Event, until: str, **more: Any) -> None:
        scenario = {"currency": "RUB", "until": full(until), "plans": plans, "events": list(events), **more}
        self.outcome = engine_stage.play(read(scenario))

    @property
    def balance(self) -> str:
        return str(self.outcome["customers"]["ann"]["balance"])

    @property
    def debt(self) -> str:
        return str(self.outcome["customers"]["ann"]["debt"])

    @property
    def rejected(self) -> list[int]:
        return list(self.outcome["rejected"])

    def status(self, name: str = "s") -> str:
        return str(self.outcome["subscriptions"][name]["status"])

    def charged(self, name: str = "s") -> str:
        return str(self.outcome["subscriptions"][name]["charged"])

    def access(self, name: str = "s") -> list[list[str | None]]:
        """Return the spans in which the subscription was live, in short form: `03-01`, `03-01 12:00:35.999999`."""
        return [[short(instant) for instant in span] for span in self.outcome["subscriptions"][name]["access"]]

    def rows(self, name: str | None = "s") -> list[tuple[str | None, str, str]]:
        """Return the movements of a subscription: (instant, reason, amount)."""
        rows = [row for row in self.outcome["transactions"] if row["subscription"] == name]
        return [(short(row["at"]), row["reason"], row["amount"]) for row in rows]


def full(instant: str) -> str:
    """Return the full form of `03-01`, `03-01 12:00` or `03-01 12:00:00`, in 2026 unless a year is given."""
    day, _, time = instant.partition(" ")
    return f"{day if day.count('-') == 2 else f'2026-{day}'}T{time or '00'}{':00' * (2 - time.count(':'))}Z"


def short(instant: str | None) -> str | None:
    """Return the short form of an instant."""
    if instant is None:
        return None
    day, time = instant.removeprefix("2026-").removesuffix("Z").split("T")
    return f"{day} {time.removesuffix(':00')}".removesuffix(" 00:00")

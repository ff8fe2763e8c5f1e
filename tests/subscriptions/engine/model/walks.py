"""Random scenarios that know where the books stand: requests that fit, at boundaries and where money ends.

Each is made of one random.Random and played on the model while it is made. Choices are even, so that rare states come
up often; what Hypothesis draws by itself (strategies.py) it can make smaller.
"""

from copy import deepcopy
from datetime import datetime, timedelta
from math import floor
from random import Random
from typing import Any

from tests.subscriptions.engine.model.calendar import MICROSECOND, text
from tests.subscriptions.engine.model.cash import text as money
from tests.subscriptions.engine.model.grace import grace_cost
from tests.subscriptions.engine.model.metering import accrue
from tests.subscriptions.engine.model.play import act, full
from tests.subscriptions.engine.model.settlement import settle
from tests.subscriptions.engine.model.state import (
    FINAL,
    Book,
    Refused,
    Sub,
    boundary,
    due,
    new_book,
    price,
    rate,
    runs,
)

DAY = timedelta(days=1)
# The most grace days by interval.
GRACES = {"day": 0, "week": 6, "month": 27, "year": 364}
FITTING = {
    "pending": ["start", "start", "pay", "change_plan", "change_quantity", "cancel"],
    "trialing": ["change_plan", "change_quantity", "cancel", "undo_cancel", "set_auto_renew"],
    "active": [
        "pause",
        "change_plan",
        "change_plan",
        "change_quantity",
        "change_quantity",
        "cancel",
        "undo_cancel",
        "set_auto_renew",
    ],
    "past_due": ["change_plan", "change_quantity", "pay", "cancel", "set_auto_renew"],
    "suspended": ["start", "pay", "change_plan", "change_quantity", "cancel"],
    "paused": ["resume", "resume", "resume", "cancel", "set_auto_renew"],
}
# What a walk is about: anything, grace, meters on the last units, or many subscriptions and lost disputes.
THEMES = ["anything", "anything", "trust", "meters", "meters", "disputes"]
ANY = ["start", "change_plan", "change_quantity", "pause", "resume", "cancel", "undo_cancel", "set_auto_renew"]


class Walk:
    """A scenario in the making: its events so far, and the model that has played them."""

    def __init__(self, random: Random, currency: str, first: datetime, names: list[str]) -> None:
        self.random, self.currency, self.at = random, currency, first
        self.theme = random.choice(THEMES)
        self.offered = [self.plan(number) for number in range(random.randint(2, 5))]
        self.plans = {plan["code"]: full(plan, currency) for plan in self.offered}
        self.order_days = random.choice([1, 2, 14, 14])
        self.names = names
        self.books: dict[str, Book] = {}
        self.subs: dict[str, Sub] = {}
        self.owners: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []

    def scenario(self, events: int) -> dict[str, Any]:
        for _ in range(events):
            self.step()
            self.at += self.gap()
        return {
            "currency": self.currency, "until": text(self.at), "plans": self.offered, "events": self.events,
            "order_days": self.order_days,
        }  # fmt: skip

    def plan(self, number: int) -> dict[str, Any]:
        choice = self.random.choice
        # The first is a meter, the second is paid ahead, the rest are either; or what the theme is about.
        metered = number == 0 or (number > 1 and choice([True, False]))
        metered = {"trust": number == 2, "meters": number != 3, "disputes": number == 2}.get(self.theme, metered)
        count = choice([1, 1, 1, 2])
        plan: dict[str, Any] = {"code": f"p{number}", "metered": metered, "interval_count": count}
        if self.theme == "meters":
            plan["amount"] = money(choice([1, 7, 99, 100, 360] if metered else [0, 1, 2]), self.currency)
            plan["interval"] = choice(["second", "minute", "hour", "hour", "day"] if metered else ["hour", "day"])
        elif metered:
            plan["amount"] = money(choice([0, 1, 7, 100, 100, 360, 999_983, 10**6]), self.currency)
            plan["interval"] = choice(["second", "minute", "hour", "hour", "hour", "day", "week"])
        elif self.theme == "anything":
            plan["amount"] = money(choice([0, 10, 99, 300, 1000, 9900]), self.currency)
            plan["interval"] = choice(["hour", "day", "week", "month", "month", "year"])
        else:
            plan["amount"] = money(choice([99, 100, 300, 1000]), self.currency)
            plan["interval"] = choice(["week", "month", "month", "year"])
        most = 0 if metered else GRACES.get(plan["interval"], 0)
        plan["grace_days"] = choice([most, min(most, 2), min(most, 5), 0 if self.theme == "anything" else most])
        if self.theme == "anything":
            plan["trial_days"] = choice([0, 0, 1, 3])
        seller: dict[str, list[Any]] = {
            "keep_days": [None, None, None, 0, 1, 3], "trial_quantity_max": [None, 1, 2],
            "can_pause": [None, None, None, False], "can_refund_unused": [None, None, None, False],
        }  # fmt: skip
        said = {name: choice(values) for name, values in seller.items()}
        return plan | {name: value for name, value in said.items() if value is not None}

    def step(self) -> None:
        """Choose an event, note it and play it."""
        customer = self.random.choice(self.names)
        book = self.books.setdefault(customer, new_book(customer, self.at, self.order_days))
        settle(book, self.at)
        event = self.event(book)
        self.events.append({"at": text(self.at), **event})
        try:
            act(book, {**event, "at": self.at}, self.plans, self.subs, self.currency)
        except Refused:
            pass

    def event(self, book: Book) -> dict[str, Any]:
        customer, alive = book["customer"], [sub for sub in book["subs"] if sub["status"] not in FINAL]
        do = self.random.random()
        if not book["rows"] and do < 0.9:
            return self.money_event(book, "top_up", alive)
        if not alive or (do < 0.1 and len(alive) < 4):
            return self.subscribe(customer)
        if do < 0.28:
            return self.money_event(book, "top_up", alive)
        if do < 0.33:
            return self.money_event(book, "withdraw", alive)
        if do < (0.45 if self.theme == "disputes" else 0.37):
            return self.money_event(book, "dispute_lost", alive)
        sub = self.random.choice(book["subs"] if do < 0.47 else alive)
        kind = self.random.choice(FITTING[sub["status"]] if do > 0.5 and sub in alive else ANY)
        if kind == "undo_cancel" and not sub["cancel"] and do < 0.9:
            kind = "cancel"
        if kind == "cancel" and self.theme != "anything" and do < 0.9:
            # A cancellation ends everything, so it is rare.
            kind = "change_quantity"
        if kind == "pay":
            return {**self.money_event(book, "top_up", [sub]), "for": sub["name"]}
        return self.request(kind, sub)

    def subscribe(self, customer: str) -> dict[str, Any]:
        choice, name = self.random.choice, f"s{sum(event['do'] == 'subscribe' for event in self.events)}"
        return {
            "do": "subscribe", "customer": customer, "plan": choice(self.offered)["code"], "as": name,
            "quantity": choice([1, 1, 1, 1, 2, 3, 11]), "periods": choice([1, 1, 2]),
            "auto_renew": choice([True] * 5 + [False]), "checkout": choice([False, False, False, True]),
        }  # fmt: skip

    def money_event(self, book: Book, do: str, subs: list[Sub]) -> dict[str, Any]:
        """An amount that just suffices for something, or all there is, give or take one."""
        sums = [1, book["balance"], book["debt"], book["balance"] // 2]
        if do == "top_up":
            sums = [1, 2, 3, 5] if self.theme == "meters" else []
            sums += [plan["amount"] * self.random.choice([1, 2, 3, 5, 10]) for plan in self.plans.values()]
        for sub in subs:
            cost = price(sub) if sub["plan"]["metered"] else due(sub)
            sums += [cost, cost, cost * 2, cost + book["debt"], cost - book["balance"]]
            if do == "dispute_lost":
                sums += [cost // 2 + book["balance"], cost // 10 + book["balance"] + 1]
            if sub["status"] == "past_due":
                sums.append(book["balance"] - grace_cost(sub, self.at))
        amount = self.random.choice(sums) + self.random.choice([0, 0, 0, 1, -1])
        amount = min(max(1, amount), 10**9)
        return {"do": do, "customer": book["customer"], "amount": money(amount, self.currency)}

    def request(self, do: str, sub: Sub) -> dict[str, Any]:
        choice = self.random.choice
        event: dict[str, Any] = {"do": do, "subscription": sub["name"]}
        if do == "change_plan":
            event["plan"] = choice(self.offered)["code"]
        if do == "change_quantity":
            event["quantity"] = choice([1, 2, 3, 5, sub["quantity"] + 1, 100, 1_000_000])
        if do == "set_auto_renew":
            event["value"] = choice([True, True, True, False])
        if do == "cancel":
            event["refund_unused"] = choice([True, True, False])
        if do in ("change_plan", "change_quantity", "cancel"):
            event["when"] = choice(["now", "period_end"] if do != "cancel" else ["now", "period_end", "period_end"])
        return event

    def gap(self) -> timedelta:
        """None; up to a boundary or to where money or a unit ends, or a microsecond beside; part of the way; or any."""
        kind = self.random.random()
        if kind < 0.45:
            return timedelta(0)
        if kind < 0.9:
            ends = [end - self.at for book in self.books.values() for end in self.ends(book)]
            whole = self.random.choice(ends) if ends else DAY
            beside = whole + self.random.choice([-1, 0, 0, 1]) * MICROSECOND
            part = whole * self.random.choice([0.1, 0.5, 0.9])
            return max(timedelta(0), beside if kind < 0.7 else part)
        return timedelta(microseconds=self.random.choice([1, 10**6, 35 * 10**6, self.random.randint(1, 10**11)]))

    def ends(self, book: Book) -> list[datetime]:
        """Return the instants ahead at which something happens of itself, above all the next of them."""
        ahead = deepcopy(book)
        settle(ahead, self.at)
        ends = [end for sub in ahead["subs"] if (end := boundary(ahead, sub)) is not None]
        ends += [self.at + floor(sub["credit"] / rate(sub)) * MICROSECOND for sub in ahead["subs"] if runs(sub)]
        first = min(ends, default=self.at + 30 * DAY)
        # A meter that money does not carry so far stops before.
        accrue(ahead, max(first, self.at))
        return [self.random.choice(ends or [first]), first, ahead["at"], ahead["at"]]


def walk(random: Random, currency: str, first: datetime, names: list[str], events: int) -> dict[str, Any]:
    """Make a scenario."""
    return Walk(random, currency, first, names).scenario(events)

"""From parsed JSON to a Scenario, or BadScenario: docs/simulate.md and docs/schema/scenario.schema.json."""

from collections.abc import Mapping
from typing import Any

from ledger.money import EXPONENTS, LARGEST, Money
from subscriptions.engine.calendar import MOST_YEARS, SECOND, is_within_calendar
from subscriptions.engine.subscription import MOST_PERIODS, MOST_QUANTITY, Terms
from subscriptions.simulation.fields import BadScenario, Fields, instant, shown
from subscriptions.simulation.scenario import Scenario, Step, Ticks

TOP = ("title", "story", "currency", "until", "plans", "ticks", "events")
PLAN = ("code", "name", "amount", "interval", "interval_count", "metered", "trial_days", "grace_days")
METERED = ("second", "minute", "hour", "day", "week")
ADVANCE = ("hour", "day", "week", "month", "year")
# No interval is shorter than this many days, for the rule that grace is shorter than a period.
DAYS = {"hour": 0, "day": 1, "week": 7, "month": 28, "year": 365}

OF_A_CUSTOMER = {"top_up": ("amount",), "withdraw": ("amount",)}
OF_A_SUBSCRIPTION: dict[str, tuple[str, ...]] = {
    "change_plan": ("plan", "when", "effective_at"), "pause": (), "resume": (),
    "cancel": ("when", "refund_unused"), "undo_cancel": (),
}  # fmt: skip
SUBSCRIBE = ("customer", "plan", "as", "quantity", "periods", "auto_renew")
KINDS = {
    **{do: ("at", "do", "customer", *more) for do, more in OF_A_CUSTOMER.items()},
    "subscribe": ("at", "do", *SUBSCRIBE),
    **{do: ("at", "do", "subscription", *more) for do, more in OF_A_SUBSCRIPTION.items()},
}


def read(scenario: Any) -> Scenario:
    """Read a scenario as it came from JSON; raise BadScenario, which names the event and the field."""
    top = Fields(scenario, "", TOP)
    currency = top.choice("currency", EXPONENTS)
    until = top.instant("until")
    plans: dict[str, Terms] = {}
    for index, value in enumerate(top.rows("plans")):
        plan = read_plan(Fields(value, f"plans[{index}]", PLAN), currency)
        if plan.plan in plans:
            raise BadScenario(f"plans[{index}].code: {plan.plan!r} is there twice")
        plans[str(plan.plan)] = plan
    steps = EventReader(currency, until, plans).read_all(top.rows("events"))
    title, story = top.free_text("title"), top.free_text("story")
    return Scenario(currency, until, plans, steps, read_ticks(top), title=title, story=story)


def read_plan(plan: Fields, currency: str) -> Terms:
    metered = plan.flag("metered", False)
    interval = plan.choice("interval", METERED if metered else ADVANCE)
    count = plan.whole("interval_count", 1, 32767, 1)
    plan.get("name", "")
    grace = plan.whole("grace_days", 0, 0 if metered else max(0, DAYS[interval] * count - 1), 0)
    return Terms(
        id=plan.text("code"),
        plan=plan.text("code"),
        amount=plan.money("amount", currency, least=0),
        interval=interval,
        count=count,
        metered=metered,
        trial_days=plan.whole("trial_days", 0, 32767, 0),
        grace_days=grace,
    )


def read_ticks(top: Fields) -> Ticks | None:
    value = top.get("ticks", None)
    if value is None:
        return None
    ticks = Fields(value, "ticks", ("every_seconds", "down"))
    down = []
    for index, window in enumerate(ticks.rows("down", [])):
        place = f"ticks.down[{index}]"
        if not isinstance(window, list) or len(window) != 2:
            raise BadScenario(f"{place}: {shown(window)} is not a pair of instants")
        start, end = instant(window[0], f"{place}[0]"), instant(window[1], f"{place}[1]")
        if end < start:
            raise BadScenario(f"{place}: ends before it begins")
        down.append((start, end))
    return Ticks(ticks.whole("every_seconds", 1, 10**9) * SECOND, tuple(down))


class EventReader:
    """Reads the events in order; knows the plans, and the subscriptions made so far with their customers."""

    def __init__(self, currency: str, until: int, plans: Mapping[str, Terms]) -> None:
        self.currency, self.until, self.plans = currency, until, plans
        self.made: dict[str, Step] = {}
        self.last = 0

    def read_all(self, values: list[Any]) -> list[Step]:
        return [self.read(value, f"events[{index}]") for index, value in enumerate(values)]

    def read(self, value: Any, where: str) -> Step:
        """Read one event. Its `do` says which other fields it has."""
        do = value.get("do") if isinstance(value, dict) else None
        known = isinstance(do, str) and do in KINDS
        event = Fields(value, where, KINDS[str(do)] if known else list(value) if isinstance(value, dict) else ())
        event.choice("do", KINDS)
        at = self.instant(event)
        if do in OF_A_CUSTOMER:
            return Step(at, do, event.text("customer"), amount=event.money("amount", self.currency, least=1))
        return self.subscribe(event, at) if do == "subscribe" else self.request(event, at, str(do))

    def instant(self, event: Fields) -> int:
        at = event.instant("at")
        if at < self.last:
            event.wrong("at", "is before the event above it; events stand in the order of time")
        if at > self.until:
            event.wrong("at", "is after `until`")
        self.last = at
        return at

    def subscribe(self, event: Fields, at: int) -> Step:
        name = event.text("as")
        quantity, periods = event.whole("quantity", 1, MOST_QUANTITY, 1), event.whole("periods", 1, MOST_PERIODS, 1)
        if name in self.made:
            event.wrong("as", f"{name!r} is taken by an earlier event")
        step = self.made[name] = Step(
            at, "subscribe", event.text("customer"), name,
            terms=self.plan(event, quantity, periods),
            quantity=quantity,
            periods=periods,
            auto_renew=event.flag("auto_renew", True),
        )  # fmt: skip
        return step

    def request(self, event: Fields, at: int, do: str) -> Step:
        """Read what is asked of a subscription that an earlier event made."""
        name = event.text("subscription")
        made = self.made.get(name)
        if made is None:
            event.wrong("subscription", f"{name!r} was not made by an earlier event")
        default = "now" if do == "change_plan" else None
        return Step(
            at, do, made.customer, name,
            terms=self.plan(event, made.quantity, made.periods) if do == "change_plan" else None,
            when=event.choice("when", ("now", "period_end"), default),
            effective_at=event.instant("effective_at") if event.get("effective_at", None) is not None else None,
            refund_unused=event.flag("refund_unused", False),
        )  # fmt: skip

    def plan(self, event: Fields, quantity: int, periods: int) -> Terms:
        """Read which plan; together with these numbers it must be something that can be sold."""
        terms = self.plans[event.choice("plan", self.plans)]
        if terms.amount * quantity * periods > LARGEST:
            event.wrong("plan", f"times quantity and periods costs more than {Money(LARGEST, self.currency)}")
        if not terms.metered and not is_within_calendar(terms.interval, terms.count * periods):
            event.wrong("plan", f"one payment would buy more than {MOST_YEARS} years")
        return terms

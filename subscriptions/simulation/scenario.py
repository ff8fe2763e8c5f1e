"""What a scenario is: one definition that checks a file, says what it parses to and yields the published JSON Schema.

A file is read from top to bottom. What its parts must be to each other is checked in `Known`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, model_validator
from typing_extensions import TypeAliasType

from ledger.money import EXPONENTS, Money, NotMoney
from subscriptions.engine.calendar import DAY, SECOND, SHORTEST
from subscriptions.engine.subscription import MOST_QUANTITY, Terms
from subscriptions.simulation.fields import AmountText, Instant, Name, Text, not_allowed, parse, read_as, shown, then


@dataclass
class Known:
    """What a file has said so far. Each method checks a value against that and returns what the value is read as."""

    currency: str = ""
    until: int = 0
    plans: dict[str, Terms] = field(default_factory=dict)
    # Those that an event has made, by the name that `as` gave.
    subscriptions: dict[str, "Subscribe"] = field(default_factory=dict)
    # The instant of the last event.
    at: int = 0

    def set_currency(self, currency: str) -> str:
        self.currency = currency
        return currency

    def set_until(self, until: int) -> int:
        self.until = until
        return until

    def amount(self, text: str) -> int:
        try:
            return Money.parse(text, self.currency).amount
        except NotMoney as problem:
            raise not_allowed(str(problem)) from None

    def positive(self, amount: int) -> int:
        if amount < 1:
            raise not_allowed(f"zero is too small. The minimum is {Money(1, self.currency).plain()}")
        return amount

    def offer(self, plan: "Plan") -> Terms:
        if plan.code in self.plans:
            raise not_allowed(f"{plan.code!r} is there twice", "code")
        most = max(0, SHORTEST[plan.interval] // DAY * plan.interval_count - 1)
        if plan.grace_days > most:
            raise not_allowed(f"{plan.grace_days} is too large. The maximum is {most}", "grace_days")
        self.plans[plan.code] = Terms(
            id=plan.code, plan=plan.code, amount=plan.amount, interval=plan.interval, count=plan.interval_count,
            metered=plan.metered, trial_days=plan.trial_days, grace_days=plan.grace_days, keep_days=plan.keep_days,
            trial_quantity_max=plan.trial_quantity_max, can_pause=plan.can_pause,
            can_refund_unused=plan.can_refund_unused,
        )  # fmt: skip
        return self.plans[plan.code]

    def plan(self, code: str) -> Terms:
        if code not in self.plans:
            raise not_allowed(f"{shown(code)} is not one of {shown(list(self.plans))}")
        return self.plans[code]

    def subscription(self, name: str) -> "Subscribe":
        if name not in self.subscriptions:
            raise not_allowed(f"{name!r} was not made by an earlier event")
        return self.subscriptions[name]

    def span(self, span: list[int]) -> list[int]:
        if span[1] < span[0]:
            raise not_allowed("ends before it begins")
        return span

    def follow(self, step: "Step") -> "Step":
        """Check an event as a whole, after those before it."""
        if step.at < self.at:
            raise not_allowed("is before the event above it; events stand in the order of time", "at")
        if step.at > self.until:
            raise not_allowed("is after `until`", "at")
        if step.do == "subscribe":
            if step.name in self.subscriptions:
                raise not_allowed(f"{step.name!r} is taken by an earlier event", "as")
            self.subscriptions[step.name] = step
        elif step.do == "top_up" and step.paid_for and step.paid_for.customer != step.customer:
            raise not_allowed(f"is a subscription of {step.paid_for.customer!r}", "for")
        self.at = step.at
        return step


# Minor units of the scenario's currency.
Amount = TypeAliasType("Amount", Annotated[int, read_as(AmountText), then(Known.amount)])

# A number that the rules may refuse.
Count = TypeAliasType("Count", Annotated[int, Field(ge=1, le=10**9)])

PlanCode = Annotated[Terms, read_as(Name), then(Known.plan)]


class Part(BaseModel):
    """An object of the file. A field that it does not have is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def check_names(cls, value: Any) -> Any:
        allowed = [field.alias or name for name, field in cls.model_fields.items()]
        if isinstance(value, dict) and (unknown := [name for name in value if name not in allowed]):
            raise not_allowed(f"is not known here; allowed are {', '.join(allowed)}", unknown[0])
        return value


class Plan(Part):
    code: Name
    name: Any = None
    """For the reader."""
    amount: Amount
    interval: str
    interval_count: Annotated[int, Field(ge=1, le=32767)] = 1
    metered: bool
    trial_days: Annotated[int, Field(ge=0, le=32767)] = 0
    grace_days: Annotated[int, Field(ge=0, le=32767)] = 0
    """Fewer than the interval has."""
    keep_days: Annotated[int, Field(ge=0, le=32767)] = 30
    """How long a suspended subscription waits for money."""
    trial_quantity_max: Annotated[int, Field(ge=1, le=MOST_QUANTITY)] = 10
    """The largest quantity that a trial is given for."""
    can_pause: bool = True
    can_refund_unused: bool = True


class MeteredPlan(Plan):
    """Uses up `amount` in each interval."""

    interval: Literal["second", "minute", "hour", "day", "week"]
    metered: Literal[True]
    grace_days: Annotated[int, Field(ge=0, le=0)] = 0


class AdvancePlan(Plan):
    """Costs `amount` in advance for each interval."""

    interval: Literal["hour", "day", "week", "month", "year"]
    # Not Literal[False], which takes 0 as well.
    metered: Annotated[bool, Field(json_schema_extra={"const": False})] = False


AnyPlan = Annotated[
    Annotated[MeteredPlan, Tag("metered")] | Annotated[AdvancePlan, Tag("advance")],
    Discriminator(lambda plan: "metered" if isinstance(plan, dict) and plan.get("metered") is True else "advance"),
]


class Ticks(Part):
    """A scheduler that settles every book each `every_seconds`."""

    every_seconds: Annotated[int, Field(ge=1, le=10**9)]
    down: list[Annotated[list[Instant], Field(min_length=2, max_length=2), then(Known.span)]] = []
    """Spans in which no worker lives: `[start, end)`."""


class BaseStep(Part):
    """One event: what a customer does at an instant."""

    at: Instant
    do: str


class Movement(BaseStep):
    """Money that leaves a wallet, also when the customer's bank has taken a payment back."""

    do: Literal["withdraw", "dispute_lost"]
    customer: Name
    amount: Annotated[Amount, then(Known.positive)]


class Subscribe(BaseStep):
    do: Literal["subscribe"]
    customer: Name
    plan: PlanCode
    name: Name = Field(alias="as")
    """The name for later events."""
    quantity: Count = 1
    periods: Count = 1
    auto_renew: bool = True
    checkout: bool = False
    """Ordered on a checkout page: it starts when the payment for it arrives."""


class TopUp(BaseStep):
    do: Literal["top_up"]
    customer: Name
    amount: Annotated[Amount, then(Known.positive)]
    paid_for: Annotated[Subscribe, read_as(Name), then(Known.subscription)] | None = Field(alias="for", default=None)
    """The subscription that the payment was made for."""


class Request(BaseStep):
    """What a customer does to a subscription of theirs."""

    subscription: Annotated[Subscribe, read_as(Name), then(Known.subscription)]

    @property
    def customer(self) -> str:
        return self.subscription.customer

    @property
    def name(self) -> str:
        return self.subscription.name


class ChangePlan(Request):
    do: Literal["change_plan"]
    plan: PlanCode
    when: Literal["now", "period_end"] = "now"


class ChangeQuantity(Request):
    do: Literal["change_quantity"]
    quantity: Count
    when: Literal["now", "period_end"] = "now"


class SetAutoRenew(Request):
    do: Literal["set_auto_renew"]
    value: bool


class Cancel(Request):
    do: Literal["cancel"]
    when: Literal["now", "period_end"] | None = None
    """By default `period_end` where there is one."""
    refund_unused: bool = False


class PlainRequest(Request):
    do: Literal["start", "pause", "resume", "undo_cancel"]


Step = TopUp | Movement | Subscribe | ChangePlan | ChangeQuantity | SetAutoRenew | Cancel | PlainRequest

CheckedStep = Annotated[Annotated[Step, Discriminator("do")], then(Known.follow)]


class Scenario(Part):
    """What manage.py simulate plays. The order of times and references between parts are checked beyond the schema."""

    title: Text = ""
    story: Text = ""
    currency: Annotated[str, read_as(Literal[tuple(EXPONENTS)]), then(Known.set_currency)]
    until: Annotated[Instant, then(Known.set_until)]
    """Everything is settled up to and with this instant."""
    order_days: Annotated[int, Field(ge=0, le=32767)] = 14
    """How long a subscription that has never started waits for money."""
    plans: list[Annotated[Terms, read_as(AnyPlan), then(Known.offer)]]
    ticks: Ticks | None = None
    """The scheduler. Left out: there is none."""
    events: list[CheckedStep]
    """In order of time."""

    @property
    def tick_range(self) -> range:
        """When the scheduler would run, from the first event on, were it never down."""
        first = self.events[0].at if self.events else self.until
        return range(first, self.until + 1, self.ticks.every_seconds * SECOND) if self.ticks else range(0)

    def tick_instants(self) -> Iterator[int]:
        """Yield when the scheduler runs."""
        down = self.ticks.down if self.ticks else []
        return (at for at in self.tick_range if not any(start <= at < end for start, end in down))


SCENARIO: TypeAdapter[Scenario] = TypeAdapter(Scenario)

STEP: TypeAdapter[Step] = TypeAdapter(CheckedStep)


def read(value: Any, known: Known | None = None) -> Scenario:
    """Read a scenario as it came from JSON; raise BadScenario, which names the event and the field."""
    return parse(SCENARIO, value, known or Known())


def read_step(value: Any, known: Known) -> Step:
    """Read one event more, after all that `known` has seen."""
    return parse(STEP, value, known)

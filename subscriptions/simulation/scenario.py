"""What a scenario is, once read: plain data, instants in microseconds and money in minor units."""

from collections.abc import Iterator
from dataclasses import dataclass

from subscriptions.engine.subscription import Terms


@dataclass(frozen=True, slots=True)
class Step:
    """One event: what `customer` does at `at`. Fields that `do` has no use for keep their defaults."""

    at: int
    do: str
    customer: str
    # The subscription's name in the file, also for the one that `subscribe` creates.
    subscription: str = ""
    amount: int = 0
    terms: Terms | None = None
    quantity: int = 1
    periods: int = 1
    auto_renew: bool = True
    when: str | None = None
    effective_at: int | None = None
    refund_unused: bool = False


@dataclass(frozen=True, slots=True)
class Ticks:
    """A scheduler that settles every book each `every` microseconds, but not inside the spans it is down."""

    every: int
    down: tuple[tuple[int, int], ...] = ()

    def instants(self, first: int, until: int) -> Iterator[int]:
        """Yield the instants of the ticks from `first` up to and with `until`."""
        at = first
        while at <= until:
            if not any(start <= at < end for start, end in self.down):
                yield at
            at += self.every


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole file. Terms are named by the plan's code."""

    currency: str
    until: int
    plans: dict[str, Terms]
    steps: list[Step]
    ticks: Ticks | None = None
    title: str = ""
    story: str = ""

    def tick_instants(self) -> Iterator[int]:
        """Yield when the scheduler runs, from the first event on."""
        first = self.steps[0].at if self.steps else self.until
        return self.ticks.instants(first, self.until) if self.ticks else iter(())

    def tick_count(self) -> int:
        """About how many ticks there are, for a progress bar."""
        first = self.steps[0].at if self.steps else self.until
        return (self.until - first) // self.ticks.every + 1 if self.ticks else 0

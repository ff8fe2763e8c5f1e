"""What is compared with what, the goal of each ratio, and the order of the steps."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db import connection

from billing_site.bench import database, ledger, process
from billing_site.bench.desk import BARE
from subscriptions import daily

TEMPLATE = "bench_template"
FILLED = "bench_filled"
WORK = "bench_work"
# Milliseconds for which somebody may wait for the figures.
WAIT_GOAL = 300


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report. `ratio` is ours / theirs as rates, unless `what` says otherwise; `goal` is in words."""

    name: str
    what: str
    ours: str
    theirs: str
    ratio: float | None
    goal: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure. Compared steps alternate for `turns`; the median of the ratios of each turn counts."""

    # Customers, each with one subscription: for the billing run, and for each step of `scale`.
    customers: int
    scales: tuple[int, ...]
    turns: int
    # Subscriptions renewed one ORM transaction each.
    naive: int
    # Rows posted in batches; seconds for which single ones are posted.
    posting: int
    seconds: float
    # Rows of the long history; rows that check_ledger reads.
    history: int
    check: int
    # Customers and transactions of the staff desk, and how often each of its pages is asked for.
    desk: int
    desk_rows: int
    desk_rounds: int


QUICK = Size(10_000, (2_000, 10_000), 5, 300, 10_000, 3.0, 50_000, 100_000, 20_000, 200_000, 100)
# Only shows that each step still runs.
SMALLEST = Size(40, (20, 40), 1, 5, 40, 1.0, 200, 300, 30, 200, 3)
FULL = Size(
    50_000, (10_000, 100_000, 1_000_000), 5, 1_000, 50_000, 8.0, 1_000_000, 1_000_000, 200_000, 2_000_000, 200
)  # fmt: skip


@contextmanager
def template() -> Iterator[None]:
    """Provide TEMPLATE, an empty migrated database to copy from; drop all databases of the bench at the end."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    database.create(TEMPLATE, "template0")
    try:
        process.run("database.migrate", name=TEMPLATE)
        yield
    finally:
        database.drop_all()


def rate(measured: dict[str, Any]) -> float:
    """Return the rows per second of a step."""
    return float(measured["rows"] / measured["seconds"])


def copy(customers: int) -> None:
    """Make WORK a fresh copy of a database filled with `customers`."""
    filled = f"{FILLED}_{customers}"
    if filled not in _filled:
        database.create(filled, TEMPLATE)
        process.run("database.fill", name=filled, customers=customers)
        _filled.add(filled)
    database.create(WORK, filled)


def fresh(step: str, customers: int, **arguments: Any) -> dict[str, Any]:
    """Run a step on a fresh copy of a database filled with `customers`."""
    copy(customers)
    return process.run(step, name=WORK, **arguments)


_filled: set[str] = set()


def compare(name: str, what: str, ours: Sequence[float], theirs: Sequence[float], unit: str, goal: float) -> Figure:
    """Return a figure of two rates measured in each turn: their medians, and the median of the ratios.

    The machine's speed changes from minute to minute, for both sides of a turn alike. The ratio must reach `goal`.
    """
    ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
    mine, others = (f"{median(rates):,.0f} {unit}" for rates in (ours, theirs))
    return Figure(name, what, mine, others, ratio, f"≥ {goal:g}", ratio >= goal)


def billing(size: Size) -> Iterator[Figure]:
    """Compare the billing run with one set-based statement, with one row at a time, and with two workers."""
    batch = 1000
    naive = rate(fresh("billing.naive", size.customers, limit=size.naive))
    set_based, ours, two = [], [], []
    for _ in range(size.turns):
        set_based.append(rate(fresh("billing.set_based", size.customers)))
        ours.append(rate(fresh("billing.run", size.customers, batch=batch)))
        copy(size.customers)
        both = process.run_together("billing.run", [{"batch": batch}] * 2, name=WORK)
        two.append(sum(one["rows"] for one in both) / max(one["seconds"] for one in both))
    yield compare("billing run", "against one set-based SQL statement", ours, set_based, "subs/s", 0.6)
    yield compare("billing run", "against one ORM transaction a subscription", ours, [naive] * size.turns, "subs/s", 15)
    yield compare("billing run", "two workers against one", two, ours, "subs/s", 1.6)


def scale(size: Size) -> Iterator[Figure]:
    """Measure the time per subscription and the peak memory as the number of subscriptions grows."""
    first = None
    for customers in size.scales:
        measured = fresh("billing.run", customers, batch=1000)
        each = measured["seconds"] / measured["rows"] * 1e6
        first = first or each
        peak = measured["peak_mb"]
        yield Figure(
            "scale", f"{customers:,} subscriptions, time for each against {size.scales[0]:,}",
            f"{each:.0f} µs, {peak:.0f} MB",
            f"{first:.0f} µs", each / first, "≤ 1.5 and < 250 MB", each / first <= 1.5 and peak < 250,
        )  # fmt: skip


def posting(size: Size) -> Iterator[Figure]:
    """Compare ledger.post with one set-based statement and with pgbench."""
    rows = size.posting
    theirs, ours, spread = [], [], []
    for _ in range(size.turns):
        theirs.append(rate(fresh("ledger.insert_set_based", rows, rows=rows)))
        ours.append(rate(fresh("ledger.post_batches", rows, rows=rows, size=5_000)))
        spread.append(rate(fresh("ledger.post_batches", rows, rows=rows, size=5_000, revenues=1_000)))
    yield compare("ledger.post", "batches against one set-based INSERT", ours, theirs, "rows/s", 0.5)
    yield compare("ledger.post", "into one revenue account against a thousand", ours, spread, "rows/s", 0.9)
    copy(rows)
    singles = [{"seconds": size.seconds, "seed": seed} for seed in range(8)]
    single = sum(rate(one) for one in process.run_together("ledger.post_singly", singles, name=WORK))
    database.create(WORK, TEMPLATE)
    tpcb = ledger.run_pgbench(database.url(WORK), size.seconds)
    what = "one a transaction, 8 connections, against pgbench TPC-B"
    yield compare("ledger.post", what, [single], [tpcb], "tps", 0.5)


def reading(size: Size) -> Iterator[Figure]:
    """Compare a statement page and a balance after a long and a short history; measure check_ledger."""
    copy(size.scales[0])
    for wallet, rows in (3, 100), (4, size.history):
        process.run("ledger.grow_history", name=WORK, wallet=wallet, rows=rows)
    read = process.run("ledger.read_pages", name=WORK, wallets=[3, 4])
    for what, (short, long) in read["milliseconds"].items():
        yield Figure(
            "statement", f"{what}, {size.history:,} rows of history against 100", f"{long:.2f} ms", f"{short:.2f} ms",
            long / short, "≤ 1.5", long <= short * 1.5,
        )  # fmt: skip
    process.run("ledger.grow_history", name=WORK, wallet=5, rows=max(size.check - size.history, 1))
    checked = process.run("ledger.check_ledger", name=WORK)
    within = checked["seconds"] * 1_000_000 / checked["rows"]
    yield Figure(
        "check_ledger", f"{checked['rows']:,} transactions", f"{checked['seconds']:.1f} s", "10 s a million",
        within / 10, "≤ 1", within <= 10,
    )  # fmt: skip


def engine(size: Size) -> Iterator[Figure]:
    """Measure the pure engine."""
    measured = process.run("billing.settle_months", name=TEMPLATE, books=2_000, months=12)
    yield Figure("engine", "subscription-months settled", f"{rate(measured):,.0f} a second", "", None, "", None)


def webhooks(size: Size) -> Iterator[Figure]:
    """Compare the intake of webhooks over HTTP with plain INSERTs of the same bytes; measure how long answers take."""
    database.create(WORK, TEMPLATE)
    clients = 8
    measured = process.run("webhooks.intake", name=WORK, seconds=size.seconds, clients=clients, turns=size.turns)
    what = f"over HTTP from {clients} clients, against INSERT and COMMIT of the same bytes"
    yield compare("webhook intake", what, measured["ours"], measured["theirs"], "events/s", 0.05)
    times = f"{measured['p50']:.0f} ms, {measured['p99']:.0f} ms"
    yield Figure("webhook intake", f"{clients} clients, 50th and 99th percentile of answers", times, "", None, "", None)


def web(size: Size) -> Iterator[Figure]:
    """Compare requests of the API with bare views under the same middleware; measure how long answers take."""
    copy(2_000)
    clients = 8
    measured = process.run("web.answers", name=WORK, seconds=size.seconds, clients=clients, turns=size.turns)
    for name, against, goal in (
        ("access", "bare read", 1.0), ("wallet", "bare read", 0.4), ("transactions", "bare read", 0.4),
        ("pricing", "bare read", 0.4), ("checkout", "bare write", 0.4),
    ):  # fmt: skip
        (ours, (p50, p99)), (theirs, (bare50, bare99)) = measured[name], measured[against]
        what = f"over HTTP from {clients} clients, against a bare view that {against.split()[1]}s one row"
        yield compare(name, what, ours, theirs, "requests/s", goal)
        times = (f"{p50:.1f} ms, {p99:.1f} ms", f"{bare50:.1f} ms, {bare99:.1f} ms")
        yield Figure(name, "50th and 99th percentile of answers", *times, None, "", None)


def collection(size: Size) -> Iterator[Figure]:
    """Measure how long the sweep of collections takes to find the wallets that have changed, and to look at one."""
    wallets = size.scales[1]
    changed = min(150, wallets // 2)
    measured = fresh("collection.sweep", wallets, changed=changed)
    idle, busy = measured["idle"], measured["busy"]
    what = f"finding which of {wallets:,} wallets have changed, {changed} against none"
    yield Figure("collection", what, f"{busy * 1e3:.0f} ms", f"{idle * 1e3:.0f} ms", busy / idle, "", None)
    what = f"looking at {changed} of {wallets:,} wallets that have changed"
    yield Figure("collection", what, f"{rate(measured):,.0f} wallets a second", "", None, "", None)


def desk(size: Size) -> Iterator[Figure]:
    """Measure how long the pages of the staff desk take with many customers, and compare an export with COPY."""
    database.create(WORK, TEMPLATE)
    process.run("desk_data.fill", name=WORK, customers=size.desk, transactions=size.desk_rows)
    measured = process.run("desk.pages", name=WORK, rounds=size.desk_rounds, seconds=size.seconds)
    _, bare50, bare99 = measured["pages"][BARE]
    for name, (goal, p50, p99) in measured["pages"].items():
        if name != BARE:
            what = f"{name}, 50th and 99th percentile, against {BARE}"
            times = (f"{p50:.0f} ms, {p99:.0f} ms", f"{bare50:.0f} ms, {bare99:.0f} ms")
            yield Figure("desk", what, *times, p50 / bare50, f"50th ≤ {goal} ms", p50 <= goal)
    read = process.run("desk.export", name=WORK, first="2026-01-01", last="2026-12-01")
    what = f"export of {read['rows']:,} transactions, against COPY of the same statement"
    rates = f"{read['ours']:,.0f} rows/s", f"{read['theirs']:,.0f} rows/s"
    yield Figure("desk", what, *rates, read["ours"] / read["theirs"], "", None)
    peak = read["peak_mb"]
    yield Figure("desk", "peak memory of the same export", f"{peak:.0f} MB", "", None, "< 250 MB", peak < 250)
    # Figures that are not rolled up: a week of them whatever there is, and all of them up to a threshold.
    week = process.run("desk.figures_at_once", name=WORK, turns=size.turns)["week"]
    few = min(size.desk_rows, daily.MOST_ROWS)
    database.create(WORK, TEMPLATE)
    process.run("desk_data.fill", name=WORK, customers=max(few // 10, 1), transactions=few)
    whole = process.run("desk.figures_at_once", name=WORK, turns=size.turns)["all"]
    for what, one in (("a week of", week), ("all", whole)):
        took = one["milliseconds"]
        name = f"figures of {what} {one['rows']:,} transactions without a roll-up"
        yield Figure("desk", name, f"{took:.0f} ms", "", None, f"≤ {WAIT_GOAL} ms", took <= WAIT_GOAL)


GROUPS = (billing, posting, reading, engine, webhooks, collection, web, desk, scale)

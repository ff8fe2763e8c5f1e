"""Geometry of pictures that the server draws: stacked bars, and how long money lasts.

Heights in pixels, x in per cent: bars stretch, text does not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

HEIGHT, HEAD, FOOT, GAP = 220, 16, 20, 0.3
# A chart with more columns has no room for the name of each: this many are named.
NAMED = 5
# Texts under the bar of the runway that are nearer than this, in per cent, would touch on a phone.
NEAR = 22


@dataclass(frozen=True, slots=True)
class Rect:
    """A part of a bar: its CSS class, and top and height in pixels."""

    css: str
    y: float
    h: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of stacked parts, with the text that says what it shows. `x` and `w` in per cent of the width."""

    title: str
    x: float
    w: float
    rects: Sequence[Rect]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of bars for templates/partials/_chart.html and the desk's own, and the same numbers as a table."""

    label: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    # CSS class and name of each part.
    key: Sequence[tuple[str, str]]
    bars: Sequence[Bar]
    # Position and text: lines across, by y, and names below, by x and anchor.
    grid: Sequence[tuple[float, float, str]]
    ticks: Sequence[tuple[float, str, str]]
    base: float
    height: int = field(default=HEIGHT)


@dataclass(frozen=True, slots=True)
class Runway:
    """A bar that shows how long money lasts. All positions are in per cent of the span."""

    # Where the money ends; 100 if it lasts longer than the span.
    end: float
    is_short: bool
    # Where something is paid out of it.
    marks: Sequence[float]
    # Position, anchor and text.
    ticks: Sequence[tuple[float, str, str]]


def runway(end: float | None, marks: Sequence[tuple[float, str]], *, first: str, last: str, end_text: str) -> Runway:
    """Return the bar for money that ends at the fraction `end` of the span, None if it outlasts it.

    `marks` are fractions of the span with their texts. `first` and `last` name both ends of the span. A text that would
    lie on a more important one is left out: today comes first, then the end, then the marks.
    """
    is_short = end is not None and end < 1
    stop = _percent(end) if end is not None and is_short else 100.0
    wanted = [(0.0, "start", first)]
    if is_short:
        wanted.append((stop, "start" if stop < 6 else "end" if stop > 94 else "middle", end_text))
    kept = [(_percent(at), text) for at, text in marks if _percent(at) <= stop]
    wanted += [(at, "start" if at < 6 else "end" if at > 94 else "middle", text) for at, text in kept]
    wanted.append((100.0, "end", last))
    ticks: list[tuple[float, str, str]] = []
    for at, anchor, text in wanted:
        if all(abs(at - other) >= NEAR for other, _, _ in ticks):
            ticks.append((at, anchor, text))
    return Runway(stop, is_short, [at for at, _ in kept], ticks)


def _percent(fraction: float) -> float:
    return round(min(max(fraction, 0), 1) * 100, 1)


def nice(top: int) -> int:
    """Return the smallest round number that is not below `top`, at least 1."""
    unit = 1
    while unit * 10 < top:
        unit *= 10
    steps = (10, 12, 16, 20, 24, 30, 40, 50, 60, 80, 100)
    return next(unit * step // 10 for step in steps if unit * step >= top * 10 and unit * step % 10 == 0)


def bars(
    columns: Sequence[tuple[str, Sequence[int]]], *, label: str, first: str, key: Mapping[str, str],
    text: Callable[[int], str], total: str = "",
) -> Chart:  # fmt: skip
    """Return stacked bars, oldest first; parts below zero hang under the base line. The table has the newest first.

    `columns` are names with one number for each part of `key` (CSS class -> name); `text` formats a number. `first` is
    the heading of the names, and `total` that of a last column with the sum of each row, if there is to be one.
    """
    up = max((sum(part for part in parts if part > 0) for _, parts in columns), default=0)
    down = max((sum(-part for part in parts if part < 0) for _, parts in columns), default=0)
    top = nice(up)
    room = HEIGHT - FOOT - HEAD
    scale = room / (top + down)
    base = HEAD + top * scale
    slot = 100 / max(1, len(columns))
    names = list(key.values())
    drawn = [
        Bar(
            f"{name}: " + ", ".join(f"{names[at]} {text(part)}" for at, part in enumerate(parts)),
            round(place * slot + slot * GAP / 2, 2), round(slot * (1 - GAP), 2),
            _stack(list(zip(key, parts, strict=True)), base, scale),
        )
        for place, (name, parts) in enumerate(columns)
    ]  # fmt: skip
    rows = [
        [name, *(text(part) for part in parts), *([text(sum(parts))] if total else [])]
        for name, parts in reversed(columns)
    ]
    half = [(round(HEAD + top * scale / 2, 1), text(top // 2))] if top % 2 == 0 else []
    grid = [(y, round(y - 5, 1), said) for y, said in [(float(HEAD), text(top)), *half]]
    head = [first, *names, *([total] if total else [])]
    return Chart(label, head, rows, list(key.items()), drawn, grid, _ticks([n for n, _ in columns]), round(base, 1))


def _stack(parts: Sequence[tuple[str, int]], base: float, scale: float) -> list[Rect]:
    above = below = base
    rects = []
    for css, part in parts:
        size = abs(part) * scale
        if part > 0:
            above -= size
            rects.append(Rect(css, round(above, 1), max(round(size - 1, 1), 1)))
        elif part < 0:
            rects.append(Rect(css, round(below + 1, 1), max(round(size - 1, 1), 1)))
            below += size
    return rects


def _ticks(names: Sequence[str]) -> list[tuple[float, str, str]]:
    """Return the names that have room: every n-th, the last one in any case."""
    step = -(-len(names) // NAMED) or 1
    slot = 100 / max(1, len(names))
    last = len(names) - 1
    # The last name ends with its column: in the middle of it, it would hang over the edge.
    return [
        (100.0, "end", name) if at == last and last else (round((at + 0.5) * slot, 2), "middle", name)
        for at, name in enumerate(names)
        if (len(names) - 1 - at) % step == 0
    ]

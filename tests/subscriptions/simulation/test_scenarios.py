"""The scenarios of docs/scenarios/, each with what must come out, worked out by hand."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.subscriptions.engine import model
from tests.subscriptions.simulation.scenario_files import SCENARIOS, play, play_in_tables, scenario, schema

every = pytest.mark.parametrize("name", SCENARIOS)


@every
def test_it_keeps_to_the_schemas_and_tells_its_story(name: str) -> None:
    file = scenario(name)
    schema("scenario").validate(file)
    schema("simulation").validate(play(file))
    assert file["title"]
    assert file["story"]


@every
def test_the_model_says_the_same(name: str) -> None:
    assert play(scenario(name)) == model.play(scenario(name))


@every
@pytest.mark.django_db
def test_the_tables_say_the_same(name: str) -> None:
    assert play_in_tables(scenario(name)) == play(scenario(name))


@every
@pytest.mark.parametrize("ticks", [None, {"every_seconds": 86_400}, {"every_seconds": 7_211}])
def test_the_scheduler_makes_no_difference(name: str, ticks: dict[str, Any] | None) -> None:
    file = scenario(name)
    for part in ("customers", "subscriptions", "rejected"):
        assert play({**file, "ticks": ticks})[part] == play(file)[part]


# Customers and what they have left; subscriptions with status, charged and access; refused events. Years other than
# 2026 are written out.
EXPECTED = {
    # Site 300.00 at once, 100.00 left. The server owes 1.00 an hour, a kopeck each 36 s: 100.00 lasts 100 h = 4 d 4 h
    # and to the last microsecond of the next 36 s. 50.00 on 5 Feb 10:00 last 50 h; the next kopeck was all but used up
    # before, so it is owed a microsecond after 7 Feb 12:00.
    "celery-down-three-days": [
        "ann 0.00",
        "site active 300.00 02-01T00:00:00/..",
        "server suspended 150.00 02-01T00:00:00/02-05T04:00:35.999999 02-05T10:00:00/02-07T12:00:00",
    ],
    # 10.00 and, in time, 5.00: 15 h and 36 s less a microsecond. 20.00 at 20:00: 20 h, to 16:00 the next day.
    "top-up-between-runs": [
        "ann 0.00",
        "server suspended 35.00 03-01T00:00:00/03-01T15:00:35.999999 03-01T20:00:00/03-02T16:00:00",
    ],
    # Kopecks: 30 s at 100/3600 and 30 s at 200/3600 are 2.5; 60 s more at 100/3600 make it 4.17. Bob: 60 s at 150/3600
    # are 2.5 as well.
    "tariff-every-second": [
        "ann 9.96",
        "bob 9.96",
        "switched active 0.04 04-01T12:00:00/..",
        "steady active 0.04 04-01T12:00:00/..",
    ],
    # A kopeck takes 36 s. 35/36; 35/36 and 35/36 are 1 and 34/36; 34/36 and 38/36 are 2.
    "cancel-and-come-again": [
        "ann 0.97",
        "first cancelled 0.00 03-01T00:00:00/03-01T00:00:35",
        "second cancelled 0.01 03-01T00:10:00/03-01T00:10:35",
        "third cancelled 0.02 03-01T00:20:00/03-01T00:20:38",
    ],
    # 4 x 99.00 = 396.00 on 31 Jan, 28 Feb, 31 Mar, 30 Apr; 4.00 do not pay for the month from 31 May.
    "31-january": ["ann 4.00", "basic suspended 396.00 01-31T10:00:00/05-31T10:00:00"],
    # Ann's first two owe 3.00 an hour: 15.00 by 05:00. The 45.00 left last 7.5 h at 6.00 an hour: to 12:30, and 12 s
    # less a microsecond, for the large one owes a kopeck each 12 s. 12.50, 25.00 and 22.50 by then. 6.00 at 14:00: one
    # hour for all. Bob: 16 h at 1.00.
    "servers-on-one-wallet": [
        "ann 0.00",
        "bob 44.00",
        "a1 suspended 13.50 02-01T00:00:00/02-01T12:30:11.999999 02-01T14:00:00/02-01T15:00:00",
        "a2 suspended 27.00 02-01T00:00:00/02-01T12:30:11.999999 02-01T14:00:00/02-01T15:00:00",
        "b1 active 16.00 02-01T00:00:00/..",
        "a3 suspended 25.50 02-01T05:00:00/02-01T12:30:11.999999 02-01T14:00:00/02-01T15:00:00",
    ],
    # Past due on 10 Apr, paid on the 13th for 10 Apr to 10 May; past due again until 15 May 12:00; afresh from 20 May.
    "grace-and-rhythm": [
        "ann 0.00",
        "basic active 900.00 03-10T12:00:00/05-15T12:00:00 05-20T09:00:00/..",
    ],
    # 14 days from 1 Jun are 15 Jun. There is no second trial, so the second one was never live.
    "trial-then-top-up": [
        "ann 0.00",
        "first active 500.00 06-01T10:00:00/06-15T10:00:00 06-18T12:00:00/..",
        "second pending 0.00",
    ],
    # 31 days less 10 used are 21: from 1 Feb to 22 Feb. The month from then has 28 days, 14 of them unused on 8 Mar:
    # 310.00 x 14/28 = 155.00. 700.00 - 2 x 310.00 + 155.00 = 235.00.
    "pause-and-resume": [
        "ann 235.00",
        "basic cancelled 465.00 01-01T00:00:00/01-11T00:00:00 02-01T00:00:00/03-08T00:00:00",
    ],
    # April has 30 days, 15 are unused: 1500.00 back, 900.00 of them for the mailbox.
    "refund-funds-another": [
        "ann 600.00",
        "big cancelled 1500.00 04-01T00:00:00/04-16T00:00:00",
        "mailbox active 900.00 04-16T00:00:00/..",
    ],
    # 1000.00 on 15 Jan, 300.00 on 15 Feb, nothing left on 15 Mar.
    "downgrade-at-period-end": ["ann 0.00", "plan suspended 1300.00 01-15T10:00:00/03-15T10:00:00"],
    # 375 fils an hour: 1000 last 9600 s = 2:40:00; the next is owed after 9.6 s.
    "kwd-hourly": ["ann 0.000", "processors suspended 1.000 05-01T00:00:00/05-01T02:40:09.599999"],
    # Four years for 48000, the last from 28 Feb 2027 to 29 Feb 2028.
    "jpy-leap-day": ["ann 0", "domain suspended 48000 2024-02-29T09:00:00/2028-02-29T09:00:00"],
    # 200.00 + 150.00 for the unused half are short of 1000.00; with 650.00 more they are exactly enough.
    # 300.00 - 150.00 + 1000.00 = 1150.00.
    "change-refused": ["ann 0.00", "plan active 1150.00 04-01T00:00:00/..", "refused 2"],
    # From 00:02 on 15 d less 2 min of 30 are unused: 149.986 of 300.00, so 149.98. On 1 May 15 d 2 min are: 500.046 of
    # 1000.00. 300.00 - 149.98 + 1000.00 - 500.04 = 649.98.
    "change-agreed": ["ann 500.04", "plan cancelled 649.98 04-01T00:00:00/05-01T00:00:00", "refused 4", "refused 5"],
    # 5 x 3 x 100.00 = 1500.00 for 30 Nov to 28 Feb.
    "seats-for-a-quarter": ["ann 2500.00", "seats expired 1500.00 2025-11-30T00:00:00/02-28T00:00:00"],
    # May and June; the last undo comes at the end itself, which goes first.
    "cancel-and-undo": ["ann 0.00", "basic cancelled 200.00 05-01T00:00:00/07-01T00:00:00", "refused 5"],
}


@every
def test_what_comes_out_is_what_was_worked_out(name: str) -> None:
    assert list(lines(play(scenario(name)))) == EXPECTED[name]


def lines(outcome: dict[str, Any]) -> Iterator[str]:
    """The outcome in short: spans as start/end, `..` for one that has no end yet."""
    for customer, each in outcome["customers"].items():
        yield f"{customer} {each['balance']}"
    for name, each in outcome["subscriptions"].items():
        spans = [f"{short(start)}/{short(end)}" for start, end in each["access"]]
        yield " ".join([name, each["status"], each["charged"], *spans])
    for index in outcome["rejected"]:
        yield f"refused {index}"


def short(instant: str | None) -> str:
    return ".." if instant is None else instant.removeprefix("2026-").removesuffix("Z")

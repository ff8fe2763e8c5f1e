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


# Customers with what they have left and owe; subscriptions with status, charged and access; refused events. Years other
# than 2026 are written out. A server at 1.00 an hour uses a kopeck in 36 s, and pays each one as it begins.
EXPECTED = {
    # Site 300.00 at once, 100.00 left: 100 h at 1.00 an hour, 4 d 4 h. 50.00 on 5 Feb 10:00 last 50 h, 2 d 2 h.
    "celery-down-three-days": [
        "ann 0.00",
        "site active 300.00 02-01T00:00:00/..",
        "server suspended 150.00 02-01T00:00:00/02-05T04:00:00 02-05T10:00:00/02-07T12:00:00",
    ],
    # 10.00 and, in time, 5.00: 15 h. 20.00 at 20:00: 20 h, to 16:00 the next day.
    "top-up-between-runs": [
        "ann 0.00",
        "server suspended 35.00 03-01T00:00:00/03-01T15:00:00 03-01T20:00:00/03-02T16:00:00",
    ],
    # Kopecks used: 30 s at 100/3600 and 30 s at 200/3600 are 2.5; 60 s more at 100/3600 make it 4.17, so the fifth has
    # begun. Bob: 60 s at 150/3600 are 2.5 as well.
    "tariff-every-second": [
        "ann 9.95",
        "bob 9.95",
        "switched active 0.05 04-01T12:00:00/..",
        "steady active 0.05 04-01T12:00:00/..",
    ],
    # Kopecks begun: 35/36 s one, 36/36 one, a microsecond more two, a microsecond one, no time none. 1.00 - 0.05.
    "cancel-and-come-again": [
        "ann 0.95",
        "first cancelled 0.01 03-01T00:00:00/03-01T00:00:35",
        "second cancelled 0.01 03-01T00:10:00/03-01T00:10:36",
        "third cancelled 0.02 03-01T00:20:00/03-01T00:20:36.000001",
        "fourth cancelled 0.01 03-01T00:30:00/03-01T00:30:00.000001",
        "fifth cancelled 0.00",
    ],
    # Ann: the first has taken the kopeck at 10 s, so the start of the second is refused. 0.03 at 2:00: one for the
    # second, one for the first, which needs it beside the other. At 2:36 one is left, for the older: to 3:12.
    # Bob: 36 s from 0:00 and 36 s from 0:10.
    "two-servers-on-one-kopeck": [
        "ann 0.00",
        "bob 0.00",
        "a1 suspended 0.03 03-01T00:00:00/03-01T00:00:36 03-01T00:02:00/03-01T00:03:12",
        "a2 suspended 0.01 03-01T00:02:00/03-01T00:02:36",
        "b1 suspended 0.01 03-01T00:00:00/03-01T00:00:36",
        "b2 suspended 0.01 03-01T00:00:10/03-01T00:00:46",
        "refused 5",
    ],
    # 12 of 36 s are used; the other two thirds last three processors 24 / 3 = 8 s, to 0:20. Two kopecks more last
    # 2 x 12 s, to 0:44.
    "processors-added": ["ann 0.00", "server suspended 0.03 03-01T00:00:00/03-01T00:00:44"],
    # 24.00 last 24 h, to 2 Mar; 7 d from then are 9 Mar 0:00. Bob's 1.00 a microsecond before lasts one hour. Ann's
    # comes at the very instant, and the end of waiting goes first.
    "kept-for-a-week": [
        "ann 1.00",
        "bob 0.00",
        "a expired 24.00 03-01T00:00:00/03-02T00:00:00",
        "b suspended 25.00 03-01T00:00:00/03-02T00:00:00 03-08T23:59:59.999999/03-09T00:59:59.999999",
    ],
    # 4 x 99.00 = 396.00 on 31 Jan, 28 Feb, 31 Mar, 30 Apr; 4.00 do not pay for the month from 31 May. 30 d later it is
    # 30 Jun.
    "31-january": ["ann 4.00", "basic expired 396.00 01-31T10:00:00/05-31T10:00:00"],
    # Ann's first two use 3.00 an hour: 15.00 by 05:00. The 45.00 left last 7.5 h at 6.00 an hour: to 12:30, where each
    # has used up its kopeck. 12.50, 25.00 and 22.50 by then. 6.00 at 14:00: one hour for all. Bob: 16 h at 1.00.
    "servers-on-one-wallet": [
        "ann 0.00",
        "bob 44.00",
        "a1 suspended 13.50 02-01T00:00:00/02-01T12:30:00 02-01T14:00:00/02-01T15:00:00",
        "a2 suspended 27.00 02-01T00:00:00/02-01T12:30:00 02-01T14:00:00/02-01T15:00:00",
        "b1 active 16.00 02-01T00:00:00/..",
        "a3 suspended 25.50 02-01T05:00:00/02-01T12:30:00 02-01T14:00:00/02-01T15:00:00",
    ],
    # Past due on 10 Apr, paid on the 13th for 10 Apr to 10 May; past due again until 15 May 12:00. The month not paid
    # has 31 d: 300.00 x 5/31 = 48.387, so 48.39 are owed. 400.00 on 20 May: 48.39 and a fresh month, 51.61 left.
    # 3 x 300.00 + 48.39 = 948.39.
    "grace-and-rhythm": [
        "ann 51.61",
        "basic active 948.39 03-10T12:00:00/05-15T12:00:00 05-20T09:00:00/..",
    ],
    # 320.00 - 300.00 = 20.00. By 2 Apr the grace has used 300.00 x 1/30 = 10.00, so 10.01 cannot go and 10.00 can. On
    # 6 Apr: 300.00 x 5/30 = 50.00, of which 10.00 are there and 40.00 owed. 25.00: 15.00 owed. 320.00: 15.00 for
    # the debt, 300.00 for the site to 15 May, 5.00 left. The trial is 16 to 30 Apr, and 5.00 do not pay for mail.
    # 17 May 12:00 is 2.5 d into a month of 31: 300.00 x 2.5/31 = 24.194, so 24.20, of which 5.00 are there.
    # 300.00 + 50.00 + 300.00 + 24.20 = 674.20.
    "grace-unpaid": [
        "ann 0.00 owes 19.20",
        "site cancelled 674.20 03-01T00:00:00/04-06T00:00:00 04-15T00:00:00/05-17T12:00:00",
        "mail suspended 0.00 04-16T00:00:00/04-30T00:00:00",
        "refused 2",
    ],
    # 900.00 x 3/30 = 90.00 for nine seats more; April has cost 190.00. 31 d x 190/1000 = 5.89 d = 5 d 21:21:36, which
    # are worth 1000.00 x 5.89/31 = 190.00. 100.00 + 90.00 + 190.00 = 380.00.
    "grace-as-long-as-paid": ["ann 0.00 owes 190.00", "seats suspended 380.00 04-01T00:00:00/05-06T21:21:36"],
    # Ann has 50.00 of 500.00 left: 450.00 owed. 15 of 30 d are unused: mail 75.00, 375.00 owed; site 150.00, 225.00
    # owed. 600.00 - 225.00 - 300.00 = 75.00, too little for mail. Site 300.00 - 150.00 + 300.00.
    # Bob: 60.00 owed; 25 of 30 d of mail are 125.00, so 65.00 are left and the site goes on.
    # Carol: 0.99 of 1.00 left at 10 s, so 0.01 owed; the kopeck paid lasts to 36 s.
    "dispute-lost": [
        "ann 75.00",
        "bob 65.00",
        "carol 0.00 owes 0.01",
        "ann-site active 450.00 04-01T00:00:00/04-16T00:00:00 04-20T00:00:00/..",
        "ann-mail suspended 75.00 04-01T00:00:00/04-16T00:00:00",
        "bob-site active 300.00 04-11T00:00:00/..",
        "bob-mail suspended 25.00 04-11T00:00:00/04-16T00:00:00",
        "server suspended 0.01 04-16T00:00:00/04-16T00:00:36",
    ],
    # Ann: 100.00 + 600.00 + 300.00 - 300.00 (site) - 250.00 (domain) + 90.00 = 540.00. Mail: 1 Mar + 14 d = 15 Mar.
    # Bob: 10 Mar + 14 d = 24 Mar, a microsecond after his payment.
    "orders": [
        "ann 540.00",
        "bob 0.00",
        "site active 300.00 03-05T00:00:00/..",
        "mail expired 0.00",
        "domain active 250.00 03-12T00:00:00/..",
        "changed active 90.00 03-23T23:59:59.999999/..",
        "refused 9",
    ],
    # 14 days from 1 Jun are 15 Jun. There is no second trial, so the second one was never live; it waits up to 4 Jul.
    "trial-then-top-up": [
        "ann 0.00",
        "first active 500.00 06-01T10:00:00/06-15T10:00:00 06-18T12:00:00/..",
        "second pending 0.00",
    ],
    # From 3 to 17 Jun nothing is paid, then 2 x 200.00 of 500.00. Three seats of pro would be 600.00, with nothing
    # there. Bob: 6 x 100.00 at once.
    "trial-for-a-team": [
        "ann 100.00",
        "bob 0.00",
        "ann-team active 400.00 06-03T00:00:00/..",
        "bob-team active 600.00 06-01T00:00:00/..",
        "refused 5",
        "refused 7",
    ],
    # 31 days less 10 used are 21: from 1 Feb to 22 Feb. The month from then has 28 days, 14 of them unused on 8 Mar:
    # 310.00 x 14/28 = 155.00. 700.00 - 2 x 310.00 + 155.00 = 235.00.
    "pause-and-resume": [
        "ann 235.00",
        "basic cancelled 465.00 01-01T00:00:00/01-11T00:00:00 02-01T00:00:00/03-08T00:00:00",
    ],
    # 3 x 300.00 are paid. Nothing comes back but 300.00 x 20/30 = 200.00 of the free plan.
    "seller-allows": [
        "ann 200.00",
        "fixed cancelled 300.00 04-01T00:00:00/04-16T00:00:00",
        "stiff cancelled 300.00 04-01T00:00:00/04-11T00:00:00",
        "free cancelled 100.00 04-01T00:00:00/04-11T00:00:00",
        "refused 4",
        "refused 7",
        "refused 9",
    ],
    # 3900.00 - 900.00 - 3000.00 = 0 when the mailbox is to be renewed. April has 30 days, 15 are unused: 1500.00 back,
    # 900.00 of them for the mailbox.
    "refund-funds-another": [
        "ann 600.00",
        "mailbox active 1800.00 03-05T00:00:00/04-05T00:00:00 04-16T00:00:00/..",
        "big cancelled 1500.00 04-01T00:00:00/04-16T00:00:00",
        "domain pending 0.00",
    ],
    # 1000.00 on 15 Jan, 300.00 on 15 Feb, nothing left on 15 Mar.
    "downgrade-at-period-end": ["ann 0.00", "plan suspended 1300.00 01-15T10:00:00/03-15T10:00:00"],
    # 375 fils an hour, one in 9.6 s: 1000 last 9600 s = 2:40:00.
    "kwd-hourly": ["ann 0.000", "processors suspended 1.000 05-01T00:00:00/05-01T02:40:00"],
    # Four years for 48000, the last from 28 Feb 2027 to 29 Feb 2028.
    "jpy-leap-day": ["ann 0", "domain suspended 48000 2024-02-29T09:00:00/2028-02-29T09:00:00"],
    # 200.00 + 150.00 for the unused half are short of 1000.00; with 650.00 more they are exactly enough.
    # 300.00 - 150.00 + 1000.00 = 1150.00.
    "change-refused": ["ann 0.00", "plan active 1150.00 04-01T00:00:00/..", "refused 2"],
    # 5 x 100.00 for May. To 8 with 21 of 31 d left: 300.00 x 21/31 = 203.226, so 203.23. To 6 with 11 left:
    # 200.00 x 11/31 = 70.968, so 70.96 back. 1000 seats: 99400.00 x 7/31 are not there. June: 3 x 100.00.
    # 500.00 + 203.23 - 70.96 + 300.00 = 932.27.
    "seats-changed": ["ann 1067.73", "seats active 932.27 05-01T00:00:00/..", "refused 7"],
    # 5 x 3 x 100.00 = 1500.00 for 30 Nov to 28 Feb.
    "seats-for-a-quarter": ["ann 2500.00", "seats expired 1500.00 2025-11-30T00:00:00/02-28T00:00:00", "refused 3"],
    # May and June; the last undo comes at the end itself, which goes first.
    "cancel-and-undo": ["ann 0.00", "basic cancelled 200.00 05-01T00:00:00/07-01T00:00:00", "refused 5"],
}


@every
def test_what_comes_out_is_what_was_worked_out(name: str) -> None:
    assert list(lines(play(scenario(name)))) == EXPECTED[name]


def lines(outcome: dict[str, Any]) -> Iterator[str]:
    """The outcome in short: a debt if there is one, spans as start/end, `..` for one that has no end yet."""
    for customer, each in outcome["customers"].items():
        owes = f" owes {each['debt']}" if each["debt"].strip("0.") else ""
        yield f"{customer} {each['balance']}{owes}"
    for name, each in outcome["subscriptions"].items():
        spans = [f"{short(start)}/{short(end)}" for start, end in each["access"]]
        yield " ".join([name, each["status"], each["charged"], *spans])
    for index in outcome["rejected"]:
        yield f"refused {index}"


def short(instant: str | None) -> str:
    return ".." if instant is None else instant.removeprefix("2026-").removesuffix("Z")

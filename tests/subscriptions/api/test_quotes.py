"""A change of plan through the API: quoted with its arithmetic, and then carried out to the unit or not at all."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import User
from ledger.models import Transaction
from subscriptions import books
from subscriptions.models import Quote, Subscription
from tests.subscriptions.shop import START, client, params, pay_in, sell

pytestmark = pytest.mark.django_db
ALL = "/api/subscriptions/"
# Of a month paid from 1 April, 18 of 30 days are left.
APRIL = START.replace(month=4)
THE_13TH = APRIL.replace(day=13)


@pytest.fixture(autouse=True)
def _shop(time_machine: time_machine.TimeMachineFixture) -> None:
    time_machine.move_to(APRIL, tick=False)
    sell("basic", RUB=99_00)
    sell("premium", RUB=199_00)
    sell("vm", RUB=1_00, interval="hour", metered=True)


@pytest.fixture
def basic(alice: User, time_machine: time_machine.TimeMachineFixture) -> str:
    """Basic, paid from 1 April to 1 May, 200.00 left; it is the 13th now."""
    pay_in(alice, 299_00, at=APRIL)
    made = client(alice).post(ALL, {"plan": "basic"}).json()
    time_machine.move_to(THE_13TH, tick=False)
    return f"{ALL}{made['id']}"


def rub(value: str) -> dict[str, str]:
    return {"value": value, "currency": "RUB"}


def preview(user: User, subscription: str, **query: str) -> Any:
    return client(user).get(subscription + "/change-preview", {"plan": "premium", **query})


def accept(user: User, subscription: str, quote: str, **more: Any) -> Any:
    return client(user).post(subscription + "/change-plan", {"quote": quote}, **more)


def moved(user: User) -> list[tuple[str, int]]:
    """What was posted since the first charge."""
    rows = Transaction.objects.filter(customer=user).order_by("id")[2:]
    return [(row.reason, row.amount if row.credit_id == row.wallet_id else -row.amount) for row in rows]


def test_a_quote_shows_every_movement_with_its_arithmetic(alice: User, basic: str) -> None:
    answer = preview(alice, basic)
    assert answer.status_code == 200
    body, name = answer.json(), basic.removeprefix(ALL)
    assert body.pop("id").startswith("quo_")
    assert body == {
        "subscription": name, "plan": "premium", "when": "now",
        # Two minutes to read it; the change is made for the instant at which they are over.
        "as_of": "2026-04-13T00:00:00Z", "expires_at": "2026-04-13T00:02:00Z",
        "takes_effect_at": "2026-04-13T00:02:00Z",
        # 99.00 x (18 days - 2 min) / 30 days = 59.3954... comes back.
        "lines": [
            {"reason": "unused_refund", "subscription": name, "amount": rub("59.39"),
             "formula": "99.00 × 17 days 23 h 58 min of 30 days"},
            {"reason": "charge", "subscription": name, "amount": rub("-199.00"),
             "formula": "199.00 a month × 1 month"},
        ],
        "balance_before": rub("200.00"), "balance_after": rub("60.39"), "total": rub("-139.61"),
        "status_after": "active", "next_charge": {"at": "2026-05-13T00:02:00Z", "amount": rub("199.00")},
    }  # fmt: skip


def test_looking_changes_nothing(alice: User, basic: str) -> None:
    before = client(alice).get(basic).json()
    for _ in range(3):
        preview(alice, basic)
    assert client(alice).get(basic).json() == before
    assert moved(alice) == []


def test_part_of_a_day_and_several_of_several_months_are_written_out(
    alice: User, time_machine: time_machine.TimeMachineFixture
) -> None:
    sell("team", RUB=80_00, interval_count=3)
    pay_in(alice, 5000_00, at=APRIL)
    made = client(alice).post(ALL, {"plan": "basic", "quantity": 3, "periods": 2}).json()
    time_machine.move_to(THE_13TH + timedelta(hours=1, minutes=30, seconds=2, microseconds=500_000), tick=False)
    lines = preview(alice, f"{ALL}{made['id']}", plan="team").json()["lines"]
    # April and May are 61 days; 99.00 x 3 x 2 = 594.00 was paid for them. 80.00 x 3 x 2 = 480.00 is new.
    assert [(line["amount"]["value"], line["formula"]) for line in lines] == [
        # Made at 1:30:02.5, for the whole minute after two more: 1:33.
        ("476.51", "594.00 × 48 days 22 h 27 min of 61 days"),
        ("-480.00", "80.00 every 3 months × 3 × 6 months"),
    ]


def test_what_a_change_revives_is_part_of_its_quote(alice: User, basic: str) -> None:
    sell("small", RUB=40_00)
    # 200.00 - 199.00 = 1.00 is left, so that the second one waits.
    client(alice).post(ALL, {"plan": "premium"})
    other = client(alice).post(ALL, {"plan": "small"}).json()
    assert other["status"] == "pending"
    body = preview(alice, basic, plan="vm").json()
    # 1.00 + 59.39; the VM takes nothing in advance; the small one starts: 60.39 - 40.00.
    assert [(line["reason"], line["amount"]["value"], line["subscription"]) for line in body["lines"]] == [
        ("unused_refund", "59.39", basic.removeprefix(ALL)), ("charge", "-40.00", other["id"]),
    ]  # fmt: skip
    assert (body["balance_after"], body["next_charge"]) == (rub("20.39"), None)
    accept(alice, basic, body["id"])
    assert client(alice).get(f"{ALL}{other['id']}").json()["status"] == "active"


def test_at_the_end_of_the_period_nothing_moves_now(alice: User, basic: str) -> None:
    body = preview(alice, basic, when="period_end").json()
    assert (body["lines"], body["total"], body["when"]) == ([], rub("0.00"), "period_end")
    assert body["next_charge"] == {"at": "2026-05-01T00:00:00Z", "amount": rub("199.00")}
    changed = accept(alice, basic, body["id"]).json()
    assert (changed["plan"], changed["scheduled_plan"]) == ("basic", "premium")


def test_what_was_quoted_is_posted_to_the_unit_also_minutes_later(
    alice: User, basic: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    time_machine.move_to(THE_13TH + timedelta(seconds=1), tick=False)
    quoted = preview(alice, basic).json()
    # The next whole minute after two.
    assert quoted["expires_at"] == quoted["takes_effect_at"] == "2026-04-13T00:03:00Z"
    time_machine.move_to(THE_13TH + timedelta(minutes=2, seconds=59), tick=False)
    answer = accept(alice, basic, quoted["id"])
    # Paid for at once; the old plan goes on to the instant that was named.
    assert (answer.status_code, answer.json()["plan"], answer.json()["scheduled_plan"]) == (200, "basic", "premium")
    assert answer.json()["next_charge"] == {"at": "2026-05-13T00:03:00Z", "amount": rub("199.00")}
    assert moved(alice) == [("unused_refund", 59_39), ("charge", -199_00)]
    # Sent again, by a reader who is not sure: nothing more.
    assert accept(alice, basic, quoted["id"]).json()["scheduled_plan"] == "premium"
    assert len(moved(alice)) == 2
    time_machine.move_to(THE_13TH + timedelta(minutes=3), tick=False)
    then = client(alice).get(basic).json()
    assert (then["plan"], then["scheduled_plan"]) == ("premium", None)
    assert then["current_period"] == {"start": "2026-04-13T00:03:00Z", "end": "2026-05-13T00:03:00Z"}
    assert len(moved(alice)) == 2


def test_until_an_agreed_change_takes_effect_nothing_else_can_be_changed(alice: User, basic: str) -> None:
    accept(alice, basic, preview(alice, basic).json()["id"])
    for path, body in (("pause", {}), ("cancel", {}), ("cancel", {"when": "now"}), ("change-plan", {"plan": "vm"})):
        answer = client(alice).post(f"{basic}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "plan_change_under_way")
    assert preview(alice, basic).json()["code"] == "plan_change_under_way"


def changed(answer: Any) -> dict[str, Any]:
    """The new quote of a refusal."""
    assert (answer.status_code, answer.json()["code"]) == (409, "quote_changed")
    assert answer["Content-Type"] == "application/problem+json"
    return dict(answer.json()["quote"])


def test_an_old_quote_posts_nothing_and_the_answer_holds_the_new_one(
    alice: User, basic: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    quoted = preview(alice, basic).json()
    time_machine.move_to(THE_13TH + timedelta(hours=12), tick=False)
    new = changed(accept(alice, basic, quoted["id"]))
    assert moved(alice) == []
    # 99.00 x (17.5 days - 2 min) / 30 days = 57.7454...
    line = new["lines"][0]
    assert (line["amount"], line["formula"]) == (rub("57.74"), "99.00 × 17 days 11 h 58 min of 30 days")
    assert new.keys() == quoted.keys()
    assert (new["id"] != quoted["id"], new["as_of"]) == (True, "2026-04-13T12:00:00Z")
    assert accept(alice, basic, new["id"]).status_code == 200
    assert moved(alice) == [("unused_refund", 57_74), ("charge", -199_00)]


def test_money_that_came_in_meanwhile_does_not_disturb_a_quote(
    alice: User, basic: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    time_machine.move_to(THE_13TH + timedelta(seconds=1), tick=False)
    quoted = preview(alice, basic).json()
    time_machine.move_to(THE_13TH + timedelta(minutes=1), tick=False)
    pay_in(alice, 1_00, at=THE_13TH + timedelta(seconds=30))
    assert accept(alice, basic, quoted["id"]).status_code == 200
    assert moved(alice)[1:] == [("unused_refund", 59_39), ("charge", -199_00)]


def test_a_new_quote_under_one_idempotency_key_does_not_stand_in_the_way(
    alice: User, basic: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    quoted = preview(alice, basic).json()
    time_machine.move_to(THE_13TH + timedelta(hours=1), tick=False)
    new = changed(accept(alice, basic, quoted["id"], HTTP_IDEMPOTENCY_KEY="one"))
    first, again = (accept(alice, basic, new["id"], HTTP_IDEMPOTENCY_KEY="two") for _ in range(2))
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert len(moved(alice)) == 2


def test_what_the_wallet_cannot_pay_has_no_quote_but_the_amount_that_is_missing(alice: User, basic: str) -> None:
    sell("dear", RUB=1000_00)
    answer = preview(alice, basic, plan="dear")
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_funds")
    # 1000.00 - 200.00 - 59.39
    assert answer.json()["missing"] == rub("740.61")
    assert not Quote.objects.exists()


def test_paused_and_final_subscriptions_have_no_quote(alice: User, basic: str) -> None:
    quoted = preview(alice, basic).json()
    client(alice).post(basic + "/pause")
    for answer in (preview(alice, basic), accept(alice, basic, quoted["id"])):
        assert (answer.status_code, answer.json()["code"]) == (409, "subscription_is_paused")
    client(alice).post(basic + "/cancel", {"when": "now"})
    for answer in (preview(alice, basic), accept(alice, basic, quoted["id"])):
        assert (answer.status_code, answer.json()["code"]) == (409, "subscription_is_final")


def test_only_ones_own_quote_of_this_very_subscription_is_known(alice: User, mallory: User, basic: str) -> None:
    pay_in(alice, 199_00, at=THE_13TH)
    quoted = preview(alice, basic).json()["id"]
    hers = f"{ALL}{client(alice).post(ALL, {'plan': 'premium'}).json()['id']}"
    pay_in(mallory, 500_00, at=THE_13TH)
    his = f"{ALL}{client(mallory).post(ALL, {'plan': 'basic'}).json()['id']}"
    assert preview(mallory, basic).status_code == 404
    assert accept(mallory, basic, quoted).status_code == 404
    foreign, absent = accept(mallory, his, quoted), accept(mallory, his, "quo_nothing")
    assert foreign.status_code == absent.status_code == accept(alice, hers, quoted).status_code == 404
    assert {**foreign.json(), "request_id": ""} == {**absent.json(), "request_id": ""}
    assert {row.price.plan.code for row in Subscription.objects.all()} == {"basic", "premium"}
    assert client().get(basic + "/change-preview?plan=premium").status_code == 401


@pytest.mark.parametrize(
    ("query", "named"),
    [("", "plan"), ("plan=premium&when=soon", "when"), ("plan=premium&currency=EUR", "currency"),
     ("plan=premium&plan=basic", "plan"), ("plan=%00", "plan"), ("plan=" + "x" * 61, "plan")],
)  # fmt: skip
def test_a_preview_takes_what_it_knows(alice: User, basic: str, query: str, named: str) -> None:
    answer = client(alice).get(f"{basic}/change-preview?{query}")
    assert (answer.status_code, params(answer)) == (400, [named])


def test_a_plan_that_is_not_sold_has_no_quote(alice: User, basic: str) -> None:
    sell("euro", EUR=1_00)
    assert preview(alice, basic, plan="euro").json()["code"] == "plan_not_sold_in_currency"
    assert preview(alice, basic, plan="nothing").json()["code"] == "plan_not_found"


@pytest.mark.parametrize(
    ("body", "named"),
    [({}, ["plan"]), ({"when": "now"}, ["plan"]), ({"quote": "quo_1", "plan": "premium"}, ["plan"]),
     ({"quote": "quo_1", "when": "now"}, ["when"]), ({"quote": "quo_1", "plan": "vm", "when": "now"}, ["plan", "when"]),
     ({"quote": None}, ["quote"]), ({"quote": ""}, ["quote"]), ({"quote": "quo_1", "x": 1}, ["x"]),
     ({"quote": "q" * 41}, ["quote"]), ({"quote": {"id": "quo_1"}}, ["quote"])],
)  # fmt: skip
def test_a_change_names_a_plan_or_a_quote_and_not_both(
    alice: User, basic: str, body: dict[str, Any], named: list[str]
) -> None:
    answer = client(alice).post(basic + "/change-plan", body)
    assert (answer.status_code, sorted(params(answer))) == (400, named)


def test_without_a_quote_a_change_is_made_at_once(alice: User, basic: str) -> None:
    assert client(alice).post(basic + "/change-plan", {"plan": "premium"}).json()["plan"] == "premium"
    assert moved(alice) == [("unused_refund", 59_40), ("charge", -199_00)]


def test_metered_use_up_to_the_change_is_charged_and_not_part_of_the_quote(
    alice: User, time_machine: time_machine.TimeMachineFixture
) -> None:
    pay_in(alice, 300_00, at=APRIL)
    vm = f"{ALL}{client(alice).post(ALL, {'plan': 'vm'}).json()['id']}"
    time_machine.move_to(APRIL + timedelta(hours=5), tick=False)
    quoted = preview(alice, vm).json()
    assert (quoted["balance_before"], quoted["total"]) == (rub("295.00"), rub("-199.00"))
    time_machine.move_to(APRIL + timedelta(hours=5, minutes=10), tick=False)
    assert accept(alice, vm, quoted["id"]).status_code == 200
    # 5 h 10 min at 1.00 are 5.1666...: 300.00 - 5.16 - 199.00.
    with books.open(alice, "RUB", now=APRIL + timedelta(hours=6)) as book:
        assert book.balance == 95_84


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("prefix", ["/api/", "/api/v1/"])
def test_previews_and_quotes_work_with_and_without_a_slash(alice: User, basic: str, prefix: str, slash: str) -> None:
    one = basic.replace("/api/", prefix)
    quoted = client(alice).get(f"{one}/change-preview{slash}", {"plan": "premium"}).json()
    assert (
        client(alice).post(f"{one}/change-plan{slash}", {"quote": quoted["id"]}).json()["scheduled_plan"] == "premium"
    )

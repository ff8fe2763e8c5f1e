"""A change of plan through the API: quoted with its formulas, then carried out at most for that or not at all."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import User
from ledger.models import Transaction
from subscriptions import books, catalogue
from subscriptions.models import Price, Quote, Subscription
from tests.subscriptions.shop import START, client, params, pay_in, sell

pytestmark = pytest.mark.django_db
ALL = "/api/subscriptions/"
# On the 13th, 18 of the 30 days paid from 1 April are left.
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
    """Return the URL of a Basic paid from 1 April to 1 May. The wallet holds 200.00; now is the 13th."""
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
    """Return what was posted since the first charge."""
    rows = Transaction.objects.filter(customer=user).order_by("id")[2:]
    return [(row.reason, row.amount if row.credit_id == row.wallet_id else -row.amount) for row in rows]


def test_a_quote_shows_every_movement_with_its_formula(alice: User, basic: str) -> None:
    answer = preview(alice, basic)
    assert answer.status_code == 200
    body, name = answer.json(), basic.removeprefix(ALL)
    assert body.pop("id").startswith("quo_")
    assert body == {
        "subscription": name, "plan": "premium", "quantity": None, "when": "now",
        # The amounts are those of its last moment.
        "as_of": "2026-04-13T00:00:00Z", "expires_at": "2026-04-13T00:15:00Z",
        # The refund is 99.00 x (18 days - 15 min) / 30 days = 59.3656...
        "lines": [
            {"reason": "unused_refund", "subscription": name, "amount": rub("59.36"),
             "formula": "99.00 × 17 days 23 h 45 min of 30 days"},
            {"reason": "charge", "subscription": name, "amount": rub("-199.00"),
             "formula": "199.00 a month × 1 month"},
        ],
        "balance_before": rub("200.00"), "balance_after": rub("60.36"), "total": rub("-139.64"),
        "status_after": "active", "next_charge": {"at": "2026-05-13T00:15:00Z", "amount": rub("199.00")},
    }  # fmt: skip


def test_a_preview_changes_nothing(alice: User, basic: str) -> None:
    before = client(alice).get(basic).json()
    for _ in range(3):
        preview(alice, basic)
    assert client(alice).get(basic).json() == before
    assert moved(alice) == []


def test_formulas_name_parts_of_days_quantities_and_months(
    alice: User, time_machine: time_machine.TimeMachineFixture
) -> None:
    sell("team", RUB=80_00, interval_count=3)
    pay_in(alice, 5000_00, at=APRIL)
    made = client(alice).post(ALL, {"plan": "basic", "quantity": 3, "periods": 2}).json()
    time_machine.move_to(THE_13TH + timedelta(hours=1, minutes=30, seconds=2, microseconds=500_000), tick=False)
    lines = preview(alice, f"{ALL}{made['id']}", plan="team").json()["lines"]
    # 99.00 x 3 x 2 = 594.00 was paid for the 61 days of April and May. The new plan costs 80.00 x 3 x 2 = 480.00.
    assert [(line["amount"]["value"], line["formula"]) for line in lines] == [
        # 1:45:02.5, fifteen minutes later.
        ("476.43", "594.00 × 48 days 22 h 14 min 57.5 s of 61 days"),
        ("-480.00", "80.00 every 3 months × 3 × 6 months"),
    ]


def test_a_quote_includes_subscriptions_that_the_change_revives(alice: User, basic: str) -> None:
    small = sell("small", RUB=40_00)["RUB"]
    # It is paid, and then the bank takes that payment back.
    with books.open(alice, "RUB", now=THE_13TH) as book:
        book.withdraw(200_00, key="out", to="gateway_clearing:sandbox")
        book.top_up(40_00, key="in", source="gateway_clearing:sandbox")
        other = book.subscribe(small)
        book.lose_dispute(40_00, key="lost")
    body = preview(alice, basic, plan="vm").json()
    # 59.36; the VM costs nothing in advance; the small plan starts: 59.36 - 40.00.
    assert [(line["reason"], line["amount"]["value"], line["subscription"]) for line in body["lines"]] == [
        ("unused_refund", "59.36", basic.removeprefix(ALL)), ("charge", "-40.00", other.public_id),
    ]  # fmt: skip
    assert (body["balance_before"], body["balance_after"], body["next_charge"]) == (rub("0.00"), rub("19.36"), None)
    accept(alice, basic, body["id"])
    assert client(alice).get(f"{ALL}{other.public_id}").json()["status"] == "active"


def test_a_change_at_the_end_of_the_period_moves_nothing_now(alice: User, basic: str) -> None:
    body = preview(alice, basic, when="period_end").json()
    assert (body["lines"], body["total"], body["when"]) == ([], rub("0.00"), "period_end")
    assert body["next_charge"] == {"at": "2026-05-01T00:00:00Z", "amount": rub("199.00")}
    changed = accept(alice, basic, body["id"]).json()
    assert (changed["plan"], changed["scheduled_plan"]) == ("basic", "premium")


def test_a_quote_takes_effect_when_it_is_accepted_for_the_amounts_of_that_moment(
    alice: User, basic: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    quoted = preview(alice, basic).json()
    time_machine.move_to(THE_13TH + timedelta(minutes=5), tick=False)
    answer = accept(alice, basic, quoted["id"])
    assert (answer.status_code, answer.json()["plan"], answer.json()["scheduled_plan"]) == (200, "premium", None)
    assert answer.json()["current_period"] == {"start": "2026-04-13T00:05:00Z", "end": "2026-05-13T00:05:00Z"}
    # 99.00 x (18 days - 5 min) / 30 days = 59.3885...
    assert moved(alice) == [("unused_refund", 59_38), ("charge", -199_00)]
    # Sending it again changes nothing, also after it has expired.
    time_machine.move_to(THE_13TH + timedelta(minutes=50), tick=False)
    assert accept(alice, basic, quoted["id"]).json()["plan"] == "premium"
    assert len(moved(alice)) == 2


def changed(answer: Any) -> dict[str, Any]:
    """Return the new quote from a refusal."""
    assert (answer.status_code, answer.json()["code"]) == (409, "quote_changed")
    assert answer["Content-Type"] == "application/problem+json"
    return dict(answer.json()["quote"])


def test_an_outdated_quote_posts_nothing_and_returns_a_new_one(
    alice: User, basic: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    quoted = preview(alice, basic).json()
    time_machine.move_to(THE_13TH + timedelta(hours=12), tick=False)
    new = changed(accept(alice, basic, quoted["id"]))
    assert moved(alice) == []
    # 99.00 x (17.5 days - 15 min) / 30 days = 57.7156...
    line = new["lines"][0]
    assert (line["amount"], line["formula"]) == (rub("57.71"), "99.00 × 17 days 11 h 45 min of 30 days")
    assert new.keys() == quoted.keys()
    assert (new["id"] != quoted["id"], new["as_of"]) == (True, "2026-04-13T12:00:00Z")
    assert accept(alice, basic, new["id"]).status_code == 200
    # At 12:00 sharp: 99.00 x 17.5 / 30.
    assert moved(alice) == [("unused_refund", 57_75), ("charge", -199_00)]


def test_money_that_came_meanwhile_gets_a_new_quote(alice: User, basic: str) -> None:
    quoted = preview(alice, basic).json()
    pay_in(alice, 1_00, at=THE_13TH)
    new = changed(accept(alice, basic, quoted["id"]))
    assert (new["balance_before"], new["total"]) == (rub("201.00"), rub("-139.64"))
    assert accept(alice, basic, new["id"]).json()["plan"] == "premium"


def test_a_new_price_gets_a_new_quote(alice: User, basic: str) -> None:
    quoted = preview(alice, basic).json()
    catalogue.new_version(Price.objects.get(plan__code="premium"), now=THE_13TH, amount=209_00)
    assert changed(accept(alice, basic, quoted["id"]))["next_charge"]["amount"] == rub("209.00")


def test_a_refusal_with_a_new_quote_does_not_block_the_next_request(
    alice: User, basic: str, time_machine: time_machine.TimeMachineFixture
) -> None:
    quoted = preview(alice, basic).json()
    time_machine.move_to(THE_13TH + timedelta(hours=1), tick=False)
    new = changed(accept(alice, basic, quoted["id"], HTTP_IDEMPOTENCY_KEY="one"))
    first, again = (accept(alice, basic, new["id"], HTTP_IDEMPOTENCY_KEY="two") for _ in range(2))
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert len(moved(alice)) == 2


def test_an_unaffordable_change_gets_the_missing_amount_instead_of_a_quote(alice: User, basic: str) -> None:
    sell("dear", RUB=1000_00)
    answer = preview(alice, basic, plan="dear")
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_funds")
    # In an hour 99.00 x (18 days - 1 h) / 30 days = 59.2625 come back: 1000.00 - 200.00 - 59.26.
    assert answer.json()["missing"] == rub("740.74")
    assert not Quote.objects.exists()


def test_paused_and_ended_subscriptions_get_no_quote(alice: User, basic: str) -> None:
    quoted = preview(alice, basic).json()
    client(alice).post(basic + "/pause")
    for answer in (preview(alice, basic), accept(alice, basic, quoted["id"])):
        assert (answer.status_code, answer.json()["code"]) == (409, "subscription_is_paused")
    client(alice).post(basic + "/cancel", {"when": "now"})
    for answer in (preview(alice, basic), accept(alice, basic, quoted["id"])):
        assert (answer.status_code, answer.json()["code"]) == (409, "subscription_is_final")


def test_only_quotes_of_the_customers_own_subscription_are_found(alice: User, mallory: User, basic: str) -> None:
    pay_in(alice, 199_00, at=THE_13TH)
    quoted = preview(alice, basic).json()["id"]
    other = f"{ALL}{client(alice).post(ALL, {'plan': 'premium'}).json()['id']}"
    pay_in(mallory, 500_00, at=THE_13TH)
    mallorys = f"{ALL}{client(mallory).post(ALL, {'plan': 'basic'}).json()['id']}"
    assert preview(mallory, basic).status_code == 404
    assert accept(mallory, basic, quoted).status_code == 404
    foreign, absent = accept(mallory, mallorys, quoted), accept(mallory, mallorys, "quo_nothing")
    assert foreign.status_code == absent.status_code == accept(alice, other, quoted).status_code == 404
    assert {**foreign.json(), "request_id": ""} == {**absent.json(), "request_id": ""}
    assert {row.price.plan.code for row in Subscription.objects.all()} == {"basic", "premium"}
    assert client().get(basic + "/change-preview?plan=premium").status_code == 401


@pytest.mark.parametrize(
    ("query", "param"),
    [("", "plan"), ("when=now", "plan"), ("plan=premium&when=soon", "when"), ("plan=premium&quantity=2", "quantity"),
     ("quantity=0", "quantity"), ("quantity=x", "quantity"), ("plan=premium&currency=EUR", "currency"),
     ("plan=premium&plan=basic", "plan"), ("plan=%00", "plan"), ("plan=" + "x" * 61, "plan")],
)  # fmt: skip
def test_errors_name_the_wrong_query_parameters(alice: User, basic: str, query: str, param: str) -> None:
    answer = client(alice).get(f"{basic}/change-preview?{query}")
    assert (answer.status_code, params(answer)) == (400, [param])


def test_a_plan_not_on_sale_gets_no_quote(alice: User, basic: str) -> None:
    sell("euro", EUR=1_00)
    assert preview(alice, basic, plan="euro").json()["code"] == "plan_not_sold_in_currency"
    assert preview(alice, basic, plan="nothing").json()["code"] == "plan_not_found"


@pytest.mark.parametrize(
    ("body", "param"),
    [({}, ["plan"]), ({"when": "now"}, ["plan"]), ({"quote": "quo_1", "plan": "premium"}, ["plan"]),
     ({"quote": "quo_1", "when": "now"}, ["when"]), ({"quote": "quo_1", "plan": "vm", "when": "now"}, ["plan", "when"]),
     ({"quote": None}, ["quote"]), ({"quote": ""}, ["quote"]), ({"quote": "quo_1", "x": 1}, ["x"]),
     ({"quote": "q" * 41}, ["quote"]), ({"quote": {"id": "quo_1"}}, ["quote"])],
)  # fmt: skip
def test_a_change_needs_either_a_plan_or_a_quote(
    alice: User, basic: str, body: dict[str, Any], param: list[str]
) -> None:
    answer = client(alice).post(basic + "/change-plan", body)
    assert (answer.status_code, sorted(params(answer))) == (400, param)


def test_a_change_without_a_quote_happens_at_once(alice: User, basic: str) -> None:
    assert client(alice).post(basic + "/change-plan", {"plan": "premium"}).json()["plan"] == "premium"
    assert moved(alice) == [("unused_refund", 59_40), ("charge", -199_00)]


def test_metered_use_before_the_change_is_charged_outside_the_quote(
    alice: User, time_machine: time_machine.TimeMachineFixture
) -> None:
    pay_in(alice, 300_00, at=APRIL)
    vm = f"{ALL}{client(alice).post(ALL, {'plan': 'vm'}).json()['id']}"
    time_machine.move_to(APRIL + timedelta(hours=5), tick=False)
    quoted = preview(alice, vm).json()
    assert (quoted["balance_before"], quoted["total"]) == (rub("295.00"), rub("-199.00"))
    time_machine.move_to(APRIL + timedelta(hours=5, minutes=10), tick=False)
    assert accept(alice, vm, quoted["id"]).status_code == 200
    # 5 h 10 min at 1.00 are 5.1666..., and the kopeck begun is paid: 300.00 - 5.17 - 199.00.
    with books.open(alice, "RUB", now=APRIL + timedelta(hours=6)) as book:
        assert book.balance == 95_83


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("prefix", ["/api/", "/api/v1/"])
def test_previews_and_quotes_work_with_and_without_a_slash(alice: User, basic: str, prefix: str, slash: str) -> None:
    one = basic.replace("/api/", prefix)
    quoted = client(alice).get(f"{one}/change-preview{slash}", {"plan": "premium"}).json()
    assert client(alice).post(f"{one}/change-plan{slash}", {"quote": quoted["id"]}).json()["plan"] == "premium"

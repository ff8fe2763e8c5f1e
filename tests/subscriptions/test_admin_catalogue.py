"""The catalogue team sells plans: errors name the field, codes are unique whatever their case, and all is recorded."""

from threading import Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import StaffAct
from subscriptions import catalogue
from subscriptions.admin.texts import PlanForm
from subscriptions.models import Plan, Price
from tests.staff import member
from tests.subscriptions.desk import ask, send, table
from tests.subscriptions.shop import row, sell
from tests.web import hidden

pytestmark = pytest.mark.django_db
PLANS = "/admin/subscriptions/plan/"
PRICES = "/admin/subscriptions/price/"
TERMS = {
    "amount": "99.00", "interval": "month", "interval_count": "1", "trial_days": "0", "grace_days": "3",
    "keep_days": "45", "trial_quantity_max": "5", "can_refund_unused": "on", "reason": "Costs have risen",
}  # fmt: skip


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(member("catalogue"))
    return client


def refusals(form: Any) -> dict[str, list[str]]:
    return {name: list(errors) for name, errors in form.errors.items()}


WRONG = [
    ({"grace_days": "28"}, "grace_days", "Grace days: fewer than the interval has, which may be 28 days: at most 27."),
    ({"interval": "hour"}, "grace_days", "Grace days: a price for hours has none. Enter 0."),
    ({"interval": "hour", "metered": "on"}, "grace_days", "Grace days: a metered price has none"),
    ({"interval": "second"}, "interval", "Interval: a price paid in advance needs one of hour, day"),
    (
        {"interval": "month", "metered": "on", "grace_days": "0"},
        "interval",
        "Interval: a metered price needs one of second, minute",
    ),
    ({"interval_count": "0"}, "interval_count", "Interval count: 1 or more. You sent 0."),
    ({"interval_count": "30000"}, "interval_count", "Interval count: at most"),
    ({"amount": "10000000000.01"}, "amount", "The maximum is 10000000000.00 RUB"),
    ({"amount": "-1"}, "amount", "The price must be zero or more."),
    ({"trial_quantity_max": "0"}, "trial_quantity_max", "greater than or equal to 1"),
]


@pytest.mark.parametrize(("terms", "field", "said"), WRONG)
def test_terms_that_cannot_be_are_refused_at_their_field(
    desk: Client, terms: dict[str, str], field: str, said: str
) -> None:
    plan = Plan.objects.create(code="new", name="New")
    answer = desk.post(f"{PLANS}{plan.pk}/add-price/", {**TERMS, "currency": "RUB", **terms})
    found = refusals(answer.context["form"])
    assert list(found) == [field]
    assert said in found[field][0]
    price = sell("team", RUB=100_00)["RUB"]
    found = refusals(desk.post(f"{PRICES}{price.pk}/new-version/", {**TERMS, **terms}).context["form"])
    assert list(found) == [field]
    assert said in found[field][0]
    assert "is violated" not in str(found)
    assert list(Price.objects.values_list("version", flat=True)) == [1]


@pytest.mark.parametrize(
    ("terms", "param", "said"),
    [
        ({"amount": -1}, "amount", "Amount: from 0.00 RUB to 10000000000.00 RUB."),
        ({"amount": 10**12 + 1}, "amount", "Amount: from 0.00 RUB to 10000000000.00 RUB."),
        ({"metered": True, "interval": "month", "grace_days": 1}, "interval", "Grace days: a metered price has none"),
    ],
)
def test_code_that_sells_is_told_the_same(terms: dict[str, Any], param: str, said: str) -> None:
    plan = Plan.objects.create(code="new", name="New")
    with pytest.raises(catalogue.TermsInvalid) as refused:
        catalogue.first_version(plan, now=timezone.now(), currency="RUB", **{"amount": 1, **terms})
    assert refused.value.param == param
    assert said in refused.value.detail
    assert "is violated" not in refused.value.detail


def test_codes_are_unique_whatever_their_case(desk: Client) -> None:
    Plan.objects.create(code="Team", name="Team")
    with pytest.raises(IntegrityError, match="plan_code_is_unique_whatever_its_case"), transaction.atomic():
        Plan.objects.create(code="tEAM", name="Another")
    answer = desk.post(f"{PLANS}add/", {"code": "team", "name": "Another", "position": "0", **NO_PRICES})
    found = refusals(answer.context["adminform"].form)
    assert found["code"] == ["The plan Team has the code Team. Upper and lower case count as the same."]


NO_PRICES = {"prices-TOTAL_FORMS": "0", "prices-INITIAL_FORMS": "0", "reason": "A new plan"}


def test_a_new_version_says_that_nobody_who_has_the_plan_is_affected(desk: Client, alice: User) -> None:
    price = sell("team", RUB=100_00)["RUB"]
    row(alice, price)
    address = f"{PRICES}{price.pk}/new-version/"
    page = desk.get(address)
    assert "Who is affected: nobody who has the plan." in page.content.decode()
    assert "1 subscription keeps version 1." in page.content.decode()
    sent = {**hidden(page), **TERMS, "amount": "120"}
    review = table(desk.post(address, sent))
    assert review["Price"] == ("₽100.00 a month", "₽120.00 a month")
    assert review["Days kept unpaid"] == ("30", "45")
    assert "Who keeps which version" not in review
    assert Price.objects.count() == 1
    answer = desk.post(address, sent | {"confirmed": "1"})
    made = Price.objects.get(plan=price.plan, version=2)
    assert (answer.status_code, answer["location"]) == (303, f"{PRICES}{made.pk}/change/")
    # A double click.
    desk.post(address, sent | {"confirmed": "1"})
    act = StaffAct.objects.get()
    assert (act.kind, act.reason) == ("price.new_version", "Costs have risen")
    assert act.result == "Version 2 is on sale: ₽120.00 a month. Existing customers keep their version."
    assert ["Days kept unpaid", "30", "45"] in act.changes
    assert Price.objects.filter(plan=price.plan).count() == 2


def test_of_two_people_with_a_new_version_one_is_told_that_the_price_has_changed(desk: Client) -> None:
    price = sell("team", RUB=100_00)["RUB"]
    address = f"{PRICES}{price.pk}/new-version/"
    first, second = ({**hidden(desk.get(address)), **TERMS, "amount": amount, "confirmed": "1"} for amount in "12")
    assert desk.post(address, first).status_code == 303
    late = desk.post(address, second)
    assert "Version 1 is no longer current." in late.content.decode()
    assert list(Price.objects.order_by("version").values_list("version", "amount")) == [(1, 100_00), (2, 1_00)]


def test_a_plan_is_hidden_and_shown_with_a_reason(desk: Client, alice: User) -> None:
    price = sell("team", RUB=100_00)["RUB"]
    row(alice, price)
    for name, before, after in (("hide", "yes", "no"), ("show", "no", "yes")):
        address = f"{PLANS}{price.plan_id}/{name}/"
        assert table(ask(desk, address)) == {"On sale": (before, after)}
        assert send(desk, address).status_code == 303
        act = StaffAct.objects.get(kind=f"plan.{name}")
        assert (act.reason, act.changes) == ("Asked by phone", [["On sale", before, after]])
        assert Plan.objects.get(pk=price.plan_id).is_public is (after == "yes")
    assert StaffAct.objects.count() == 2


def in_order() -> str:
    return " ".join(Plan.objects.order_by("position", "id").values_list("code", flat=True))


@pytest.fixture
def three() -> Plan:
    """The last of three plans."""
    for n, code in enumerate(("one", "two", "three")):
        Plan.objects.create(code=code, name=code, position=n)
    return Plan.objects.get(code="three")


def test_a_plan_moves_by_a_review_with_a_reason(desk: Client, three: Plan) -> None:
    page, address = desk.get(PLANS).content.decode(), f"{PLANS}{three.pk}/up/"
    assert f'href="{address}" aria-label="Move up: three"' in page
    assert table(ask(desk, address)) == {"Order": ("one · two · three", "one · three · two")}
    assert in_order() == "one two three"
    # A double click.
    assert send(desk, address)["location"] == PLANS
    assert in_order() == "one three two"
    act = StaffAct.objects.get()
    assert (act.kind, act.subject, act.reason) == ("plan.move_up", "three", "Asked by phone")
    assert act.changes == [["Order", "one · two · three", "one · three · two"]]
    one = Plan.objects.get(code="one")
    send(desk, f"{PLANS}{one.pk}/down/")
    assert in_order() == "three one two"


def test_the_first_plan_cannot_move_up_nor_the_last_one_down(desk: Client, three: Plan) -> None:
    one = Plan.objects.get(code="one")
    for plan, way, said in ((one, "up", "It is the first plan already."), (three, "down", "It is the last plan")):
        address = f"{PLANS}{plan.pk}/{way}/"
        assert address not in desk.get(f"{PLANS}{plan.pk}/change/").content.decode()
        sent = {"seen": str(plan.position), "reason": "x", "confirmed": "1"}
        assert said in desk.post(address, sent).content.decode()
    assert (in_order(), StaffAct.objects.count()) == ("one two three", 0)


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 30, "7"])
def test_a_move_by_a_position_that_is_not_so_is_asked_again(desk: Client, three: Plan, seen: str) -> None:
    sent = {"seen": seen, "reason": "x", "confirmed": "1"}
    assert desk.post(f"{PLANS}{three.pk}/up/", sent).status_code == 200
    assert (in_order(), StaffAct.objects.count()) == ("one two three", 0)


def test_of_two_people_who_move_a_plan_the_second_sees_the_new_order_first(desk: Client, three: Plan) -> None:
    address = f"{PLANS}{three.pk}/up/"
    first, second = ({**hidden(desk.get(address)), "reason": "x", "confirmed": "1"} for _ in range(2))
    assert desk.post(address, first).status_code == 303
    late = desk.post(address, second)
    assert table(late) == {"Order": ("one · three · two", "three · one · two")}
    assert in_order() == "one three two"


@pytest.mark.django_db(transaction=True)
def test_a_code_that_somebody_takes_at_this_moment_is_an_error_of_the_form(desk: Client, monkeypatch: Any) -> None:
    check, tries = PlanForm.clean_code, []

    def too_late(form: Any) -> str:
        tries.append(1)
        code = check(form)
        if len(tries) == 1:
            elsewhere(lambda: Plan.objects.create(code="Team", name="Theirs"))
        return code

    def nothing(form: Any, exclude: Any = None) -> None:
        """The check of constraints came before the other plan, too."""

    monkeypatch.setattr(PlanForm, "clean_code", too_late)
    monkeypatch.setattr(Plan, "validate_constraints", nothing)
    answer = desk.post(f"{PLANS}add/", {"code": "team", "name": "Ours", **NO_PRICES})
    assert answer.status_code == 200
    assert refusals(answer.context["adminform"].form)["code"][0].startswith("The plan Theirs has the code Team.")
    assert list(Plan.objects.values_list("name", flat=True)) == ["Theirs"]


def elsewhere(act: Any) -> None:
    """Do something in a transaction of another connection."""

    def done() -> None:
        act()
        connection.close()

    thread = Thread(target=done)
    thread.start()
    thread.join()


def test_a_new_plan_comes_last_and_a_new_price_says_why(desk: Client) -> None:
    Plan.objects.create(code="one", name="One", position=7)
    assert desk.post(f"{PLANS}add/", {"code": "two", "name": "Two", "is_public": "on", **NO_PRICES}).status_code == 302
    plan = Plan.objects.get(code="two")
    assert plan.position == 8
    address = f"{PLANS}{plan.pk}/add-price/"
    assert f'href="{address}"' in desk.get(f"{PLANS}{plan.pk}/change/").content.decode()
    sent = {**hidden(desk.get(address)), **TERMS, "currency": "RUB"}
    refused = desk.post(address, sent | {"reason": ""})
    assert list(refusals(refused.context["form"])) == ["reason"]
    review = table(desk.post(address, sent))
    assert (review["Price in RUB"], review["Days kept unpaid"]) == (("–", "₽99.00 a month"), ("–", "45"))
    assert not Price.objects.exists()
    # A double click.
    for _ in range(2):
        assert desk.post(address, sent | {"confirmed": "1"}).status_code == 303
    assert Price.objects.get().amount == 99_00
    act = StaffAct.objects.get(kind="price.add")
    assert (act.reason, act.result) == ("Costs have risen", "Two costs ₽99.00 a month.")
    assert ["Price in RUB", "–", "₽99.00 a month"] in act.changes


def test_of_two_people_who_add_a_price_the_second_is_told(desk: Client) -> None:
    plan = Plan.objects.create(code="new", name="New")
    address = f"{PLANS}{plan.pk}/add-price/"
    first, second = (
        {**hidden(desk.get(address)), **TERMS, "currency": "RUB", "amount": amount, "confirmed": "1"} for amount in "12"
    )
    assert desk.post(address, first).status_code == 303
    late = desk.post(address, second)
    assert refusals(late.context["form"]) == {
        "currency": ["The plan already has a price in this currency. Open it and create a new version."]
    }
    assert list(Price.objects.values_list("amount", flat=True)) == [1_00]


def test_the_texts_of_a_plan_change_by_a_review_with_a_reason(desk: Client) -> None:
    plan = sell("team", RUB=100_00)["RUB"].plan
    address = f"{PLANS}{plan.pk}/texts/"
    page = desk.get(f"{PLANS}{plan.pk}/change/").content.decode()
    assert f'href="{address}"' in page
    assert 'name="_save"' not in page
    texts = {"code": "team", "name": "Teams", "name_ru": "Команды", "features": "Ten seats\nBackups"}
    sent = {**hidden(desk.get(address)), **texts, "reason": "A better name"}
    review = table(desk.post(address, sent))
    assert review["Name"] == (plan.name, "Teams")
    assert "Ten seats · Backups" in [after for _before, after in review.values()]
    assert Plan.objects.get().name == plan.name
    # Through the hidden fields of the review, twice.
    shown = desk.post(address, sent)
    for _ in range(2):
        assert desk.post(address, {**hidden(shown), "confirmed": "1"}).status_code == 303
    made = Plan.objects.get()
    assert (made.name, made.name_ru, made.features) == ("Teams", "Команды", ["Ten seats", "Backups"])
    assert (made.is_public, made.position) == (plan.is_public, plan.position)
    act = StaffAct.objects.get()
    assert (act.kind, act.reason, act.result) == ("plan.change", "A better name", "The texts of Teams are changed.")
    assert ["Name", plan.name, "Teams"] in act.changes
    assert desk.post(f"{PLANS}{plan.pk}/change/", texts).status_code == 403


@pytest.mark.parametrize(
    ("texts", "field"),
    [({"code": "OTHER"}, "code"), ({"code": "a b"}, "code"), ({"name": ""}, "name"), ({"name": "x" * 101}, "name"),
     ({"name": "a\0b"}, "name"), ({"description": "x" * 301}, "description"),
     ({"features": "x" * 201}, "features"), ({"features_ru": "x\n" * 31}, "features_ru")],
)  # fmt: skip
def test_texts_that_cannot_be_are_refused_at_their_field(desk: Client, texts: dict[str, str], field: str) -> None:
    plan = sell("team", RUB=100_00)["RUB"].plan
    Plan.objects.create(code="other", name="Other")
    sent = {"code": "team", "name": "Teams", "reason": "x", "confirmed": "1", **texts}
    answer = desk.post(f"{PLANS}{plan.pk}/texts/", sent)
    assert list(refusals(answer.context["form"])) == [field]
    assert not StaffAct.objects.exists()


@pytest.mark.parametrize("role", ["support", "finance", "developer", "auditor"])
def test_others_may_not_change_what_is_sold_and_see_no_button(client: Client, role: str) -> None:
    price = sell("team", RUB=100_00)["RUB"]
    client.force_login(member(role))
    for path in (
        f"{PLANS}add/",
        f"{PRICES}add/",
        f"{PLANS}{price.plan_id}/add-price/",
        f"{PLANS}{price.plan_id}/texts/",
        f"{PLANS}{price.plan_id}/up/",
        f"{PLANS}{price.plan_id}/delete/",
        f"{PRICES}{price.pk}/change-terms/",
        f"{PRICES}{price.pk}/new-version/",
        f"{PLANS}{price.plan_id}/change/",
    ):
        assert client.post(path, TERMS).status_code == 403
    assert "new-version" not in client.get(f"{PRICES}{price.pk}/change/").content.decode()
    assert 'name="_save"' not in client.get(PLANS).content.decode()

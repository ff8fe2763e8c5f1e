"""The catalogue team sells plans: errors name the field, codes are unique whatever their case, and all is recorded."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import StaffAct
from subscriptions import catalogue
from subscriptions.models import Plan, Price
from tests.staff import member
from tests.subscriptions.shop import row, sell

pytestmark = pytest.mark.django_db
PLANS = "/admin/subscriptions/plan/"
PRICES = "/admin/subscriptions/price/"
TERMS = {
    "amount": "99.00", "interval": "month", "interval_count": "1", "trial_days": "0", "grace_days": "3",
    "keep_days": "45", "trial_quantity_max": "5", "can_refund_unused": "on",
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
    sent = {**TERMS, "plan": str(plan.pk), "currency": "RUB", **terms}
    answer = desk.post(f"{PRICES}add/", sent)
    found = refusals(answer.context["adminform"].form)
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


NO_PRICES = {"prices-TOTAL_FORMS": "0", "prices-INITIAL_FORMS": "0"}


def test_a_new_version_says_that_nobody_who_has_the_plan_is_affected(desk: Client, alice: User) -> None:
    price = sell("team", RUB=100_00)["RUB"]
    row(alice, price)
    page = desk.get(f"{PRICES}{price.pk}/new-version/").content.decode()
    assert "Who is affected: nobody who has the plan." in page
    assert "1 subscription keeps version 1." in page
    sent = {**TERMS, "amount": "120"}
    assert desk.post(f"{PRICES}{price.pk}/new-version/", sent).status_code == 303
    # A double click, or another person with the same page.
    again = desk.post(f"{PRICES}{price.pk}/new-version/", sent)
    assert "Version 1 is no longer current." in again.content.decode()
    act = StaffAct.objects.get()
    assert (act.kind, act.result) == ("price.new_version", "Version 2 replaces version 1.")
    assert ["Days kept unpaid", "30", "45"] in act.changes
    [(_name, before, after)] = [change for change in act.changes if change[0] == "Price"]
    assert ("100.00" in before, "120.00" in after) == (True, True)
    assert Price.objects.filter(plan=price.plan).count() == 2


def test_plans_are_hidden_and_ordered_on_the_list_with_a_record(desk: Client) -> None:
    plans = [Plan.objects.create(code=code, name=code, position=n) for n, code in enumerate(("one", "two"))]
    sent = {
        "form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "2", "_save": "Save",
        "form-0-id": str(plans[0].pk), "form-0-position": "2", "form-0-is_public": "on",
        "form-1-id": str(plans[1].pk), "form-1-position": "1",
    }  # fmt: skip
    assert desk.post(PLANS, sent).status_code == 302
    assert list(Plan.objects.values_list("code", "is_public")) == [("two", False), ("one", True)]
    acts = {act.subject: act.changes for act in StaffAct.objects.filter(kind="plan.change")}
    assert acts == {"one": [["Position", "0", "2"]], "two": [["On sale", "True", "False"]]}


@pytest.mark.parametrize("role", ["support", "finance", "developer", "auditor"])
def test_others_may_not_change_what_is_sold_and_see_no_button(client: Client, role: str) -> None:
    price = sell("team", RUB=100_00)["RUB"]
    client.force_login(member(role))
    for path in (
        f"{PLANS}add/",
        f"{PRICES}add/",
        f"{PRICES}{price.pk}/new-version/",
        f"{PLANS}{price.plan_id}/change/",
    ):
        assert client.post(path, TERMS).status_code == 403
    assert "new-version" not in client.get(f"{PRICES}{price.pk}/change/").content.decode()
    assert 'name="_save"' not in client.get(PLANS).content.decode()


def new_plan(*prices: dict[str, str], **plan: str) -> dict[str, str]:
    """Return what the page of a new plan sends: three prices, of which those not given are as they were shown."""
    sent = {
        "code": "team", "name": "Team", "position": "0", "is_public": "on", "features": "Ten seats\nBackups",
        "features_ru": "Десять мест", "prices-TOTAL_FORMS": "3", "prices-INITIAL_FORMS": "0",
    }  # fmt: skip
    blank = {
        "currency": "", "amount": "", "interval": "month", "interval_count": "1", "trial_days": "0",
        "grace_days": "0", "keep_days": "30", "trial_quantity_max": "10", "can_refund_unused": "on", "can_pause": "",
    }  # fmt: skip
    for number in range(3):
        given = prices[number] if number < len(prices) else {}
        sent |= {f"prices-{number}-{name}": value for name, value in (blank | given).items()}
    return sent | plan


def test_a_plan_is_created_with_its_prices_and_features_on_one_page(desk: Client) -> None:
    assert desk.get(f"{PLANS}add/").context["inline_admin_formsets"][0].formset.total_form_count() == 3
    sent = new_plan({"currency": "RUB", "amount": "690", "grace_days": "3"}, {"currency": "EUR", "amount": "7.90"})
    assert desk.post(f"{PLANS}add/", sent).status_code == 302
    plan = Plan.objects.get()
    assert (plan.features, plan.features_ru) == (["Ten seats", "Backups"], ["Десять мест"])
    prices = Price.objects.order_by("currency").values_list("currency", "amount", "grace_days", "version", "can_pause")
    assert list(prices) == [("EUR", 7_90, 0, 1, False), ("RUB", 690_00, 3, 1, False)]
    [act] = StaffAct.objects.all()
    assert act.kind == "plan.add"
    assert ["Code", "–", "team"] in act.changes
    assert len([change for change in act.changes if change[0] == "Price"]) == 2
    # A double click: the code is taken by then.
    again = desk.post(f"{PLANS}add/", sent)
    assert "The plan Team has the code team." in again.content.decode()
    assert (Plan.objects.count(), Price.objects.count()) == (1, 2)


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ([{"currency": "RUB", "amount": "1"}, {"currency": "RUB", "amount": "2"}], "There are two in RUB."),
        ([{"currency": "RUB", "amount": "1", "grace_days": "31"}], "Grace days: fewer than the interval has"),
        ([{"currency": "ABC", "amount": "1"}], "ABC"),
        ([{"currency": "RUB", "amount": ""}], "This field is required."),
    ],
)
def test_a_plan_with_a_price_that_cannot_be_is_not_created(
    desk: Client, prices: list[dict[str, str]], said: str
) -> None:
    answer = desk.post(f"{PLANS}add/", new_plan(*prices))
    assert said in answer.content.decode()
    assert "is violated" not in answer.content.decode()
    assert (Plan.objects.count(), Price.objects.count()) == (0, 0)

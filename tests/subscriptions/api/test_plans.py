"""GET /api/plans/: the public price list."""

import pytest
from django.utils import timezone

from subscriptions import catalogue
from tests.subscriptions.shop import client, params, sell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop() -> None:
    plan = sell("basic", RUB=990_00, EUR=9_99, trial_days=14, grace_days=3)["RUB"].plan
    plan.features, plan.features_ru = ["1 project"], ["1 проект"]
    plan.name_ru, plan.description, plan.description_ru = "Базовый", "To begin with", "Для начала"
    plan.save()
    sell("vm", RUB=2_50, interval="hour", metered=True)
    sell("hidden", is_public=False, RUB=1)
    sell("gone", RUB=1)["RUB"].plan.prices.update(archived_at=timezone.now())


def test_anyone_can_list_the_plans_on_sale() -> None:
    plans = {plan["code"]: plan for plan in client().get("/api/plans/").json()["results"]}
    assert set(plans) == {"basic", "vm"}
    assert plans["basic"]["prices"] == [
        {
            "amount": {"value": value, "currency": currency}, "interval": "month", "interval_count": 1,
            "billing": "advance", "trial_days": 14, "trial_quantity_max": 10, "grace_days": 3, "keep_days": 30,
            "can_pause": True, "can_refund_unused": True, "version": 1,
        }
        for value, currency in (("9.99", "EUR"), ("990.00", "RUB"))
    ]  # fmt: skip
    assert plans["vm"]["prices"][0]["billing"] == "metered"


def test_a_plan_is_in_the_requested_language() -> None:
    english = client().get("/api/plans/basic")
    russian = client().get("/api/plans/basic", HTTP_ACCEPT_LANGUAGE="ru")
    assert (english.json()["name"], english.json()["features"]) == ("Basic", ["1 project"])
    assert (russian.json()["name"], russian.json()["features"]) == ("Базовый", ["1 проект"])
    assert russian["Content-Language"] == "ru"
    assert russian.json()["description"] == "Для начала"


def test_only_the_current_version_is_shown() -> None:
    catalogue.new_version(catalogue.current("vm", "RUB"), now=timezone.now(), amount=3_00)
    [price] = client().get("/api/plans/vm").json()["prices"]
    assert (price["amount"]["value"], price["version"]) == ("3.00", 2)


def test_plans_can_be_filtered_by_currency() -> None:
    answer = client().get("/api/plans/?currency=EUR").json()["results"]
    assert [(plan["code"], len(plan["prices"])) for plan in answer] == [("basic", 1)]
    assert client().get("/api/plans/?currency=JPY").json()["results"] == []


@pytest.mark.parametrize("code", ["hidden", "gone", "nothing", "0", "a" * 500])
def test_a_plan_not_on_sale_is_not_found(code: str) -> None:
    answer = client().get(f"/api/plans/{code}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path", ["/api/plans", "/api/plans/", "/api/v1/plans", "/api/plans/basic/", "/api/v1/plans/basic"]
)
def test_urls_work_with_and_without_a_slash_and_a_version(path: str) -> None:
    assert client().get(path).status_code == 200


def test_errors_name_unknown_and_invalid_filters() -> None:
    assert params(client().get("/api/plans/?curency=EUR")) == ["curency"]
    assert params(client().get("/api/plans/basic?x=1")) == ["x"]
    assert params(client().get("/api/plans/?currency=EUROS")) == ["currency"]


def test_the_price_list_takes_few_queries_however_long_it_is(django_assert_max_num_queries) -> None:
    for number in range(10):
        sell(f"more-{number}", RUB=1_00, EUR=1_00)
    client().get("/api/plans/")
    with django_assert_max_num_queries(4):  # two for the rate limit by address, plans, prices
        assert len(client().get("/api/plans/").json()["results"]) == 12


def test_plans_are_read_only() -> None:
    assert client().post("/api/plans/", {"code": "mine"}).status_code == 405
    assert client().delete("/api/plans/basic").status_code == 405

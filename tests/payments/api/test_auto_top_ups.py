"""GET and POST /api/automatic-top-ups/ and DELETE /api/automatic-top-ups/{id}."""

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from payments.collection import top_ups
from payments.models import AutoTopUp, Consent, PaymentMethod
from tests.payments.api.calls import problem
from tests.payments.api.test_consents import card

pytestmark = pytest.mark.django_db
RULES = "/api/v1/automatic-top-ups/"


def body(method: PaymentMethod, **changes: Any) -> dict[str, Any]:
    """500.00 roubles whenever less than 100.00 can be spent, at most 5,000.00 in a month."""
    fields: dict[str, Any] = {
        "method": method.public_id, "currency": "RUB", "threshold": "100.00", "amount": "500.00",
        "monthly_cap": "5000.00",
    }  # fmt: skip
    return {name: value for name, value in (fields | changes).items() if value is not None}


def turn_on(api: APIClient, method: PaymentMethod, **changes: Any) -> Any:
    """Turn a rule on as a program does: ask for the words first, then send them back."""
    asked = api.post(RULES, body(method, **changes))
    assert problem(asked) == (400, "consent_words_required", ["words"])
    return api.post(RULES, body(method, **changes) | {"words": asked.json()["words"]})


def test_a_rule_with_a_threshold(api: APIClient, alice: User) -> None:
    method = card(alice)
    answer = turn_on(api, method)
    rule = AutoTopUp.objects.get()
    words = top_ups.words(method, "RUB", threshold=100_00, amount=500_00, days=None, cap=5000_00)
    assert answer.status_code == 201
    assert answer.json() == {
        "id": rule.public_id, "currency": "RUB", "method": method.public_id,
        "threshold": {"value": "100.00", "currency": "RUB"}, "amount": {"value": "500.00", "currency": "RUB"},
        "days": None, "monthly_cap": {"value": "5000.00", "currency": "RUB"}, "words": words,
        "created_at": answer.json()["created_at"], "stopped_at": None, "stopped_reason": "",
    }  # fmt: skip
    assert (rule.threshold, rule.amount, rule.monthly_cap) == (100_00, 500_00, 5000_00)
    assert (rule.consent.words, rule.consent.address) == (words, "127.0.0.1")
    assert api.get(RULES).json()["results"] == [answer.json()]


def test_a_rule_with_days(api: APIClient, alice: User) -> None:
    answer = turn_on(api, card(alice), threshold=None, amount=None, days=7)
    assert answer.status_code == 201
    assert (answer.json()["days"], answer.json()["threshold"], answer.json()["amount"]) == (7, None, None)


def test_the_words_name_the_numbers_so_those_of_other_numbers_do_not_count(api: APIClient, alice: User) -> None:
    method = card(alice)
    words = api.post(RULES, body(method)).json()["words"]
    answer = api.post(RULES, body(method, amount="900.00") | {"words": words})
    assert problem(answer) == (400, "consent_words_required", ["words"])
    assert not AutoTopUp.objects.exists()


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"threshold": None}, "threshold"),
        ({"threshold": "0"}, "threshold"),
        ({"amount": None}, "amount"),
        ({"amount": "0.01"}, "amount"),
        ({"days": 7}, "days"),
        ({"threshold": None, "amount": None, "days": 91}, "days"),
        ({"monthly_cap": "499.99"}, "monthly_cap"),
    ],
)
def test_numbers_that_make_no_sense_name_their_field(
    api: APIClient, alice: User, changes: dict[str, Any], param: str
) -> None:
    assert problem(api.post(RULES, body(card(alice), **changes))) == (400, "auto_top_up_invalid", [param])


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"amount": {"value": "5.00", "currency": "EUR"}}, "validation_failed", "amount"),
        ({"amount": "1.001"}, "validation_failed", "amount"),
        ({"monthly_cap": None}, "validation_failed", "monthly_cap"),
        ({"days": "x"}, "validation_failed", "days"),
        ({"cap": "1.00"}, "validation_failed", "cap"),
        ({"currency": "XYZ"}, "currency_not_taken", "currency"),
    ],
)
def test_fields_that_cannot_be_read_are_named(
    api: APIClient, alice: User, changes: dict[str, Any], code: str, param: str
) -> None:
    answer = api.post(RULES, body(card(alice), **changes))
    assert (answer.status_code, answer.json()["code"], answer.json()["errors"][0]["param"]) == (400, code, param)


def test_a_new_rule_takes_the_place_of_the_one_before(api: APIClient, alice: User) -> None:
    method = card(alice)
    turn_on(api, method)
    turn_on(api, method, amount="900.00")
    [row] = api.get(RULES).json()["results"]
    assert row["amount"]["value"] == "900.00"
    assert Consent.objects.filter(withdrawn_at=None).count() == 1


def test_the_same_key_makes_one_rule(api: APIClient, alice: User) -> None:
    method = card(alice)
    sent = body(method) | {"words": api.post(RULES, body(method)).json()["words"]}
    first, second = (api.post(RULES, sent, headers={"Idempotency-Key": "rule-1"}) for _ in range(2))
    assert first.json() == second.json()
    assert AutoTopUp.objects.count() == 1


def test_turning_off_twice(api: APIClient, alice: User) -> None:
    rule = turn_on(api, card(alice)).json()["id"]
    for _ in range(2):
        assert api.delete(f"{RULES}{rule}").status_code == 204
    assert api.get(RULES).json() == {
        "detail": "No automatic top-ups", "results": [], "next": None, "previous": None,
    }  # fmt: skip
    assert Consent.objects.get().withdrawn_at is not None


def test_turning_an_old_rule_off_leaves_the_new_one_on(api: APIClient, alice: User) -> None:
    method = card(alice)
    first, second = (turn_on(api, method).json()["id"] for _ in range(2))
    assert api.delete(f"{RULES}{first}/").status_code == 204
    assert [row["id"] for row in api.get(RULES).json()["results"]] == [second]


def test_a_rule_that_was_stopped_says_so(api: APIClient, alice: User) -> None:
    turn_on(api, card(alice))
    top_ups.stop(AutoTopUp.objects.get(), "burst", now=timezone.now())
    [row] = api.get(RULES).json()["results"]
    assert (row["stopped_at"] is not None, row["stopped_reason"]) == (True, "burst")


def test_a_method_that_cannot_be_charged_is_refused(api: APIClient, alice: User) -> None:
    answer = turn_on(api, card(alice, refused_at=timezone.now()))
    assert problem(answer) == (409, "method_not_usable", ["method"])


def test_what_is_somebody_elses_is_not_found(api: APIClient, mallory_api: APIClient, alice: User) -> None:
    method = card(alice)
    rule = turn_on(api, method).json()["id"]
    assert problem(mallory_api.post(RULES, body(method))) == (404, "not_found", ["method"])
    theirs, none = (mallory_api.delete(f"{RULES}{name}/") for name in (rule, "atu_none"))
    assert problem(theirs) == problem(none) == (404, "not_found", [])
    assert mallory_api.get(RULES).json()["results"] == []
    assert AutoTopUp.objects.get().ended_at is None


def test_nobody_in_particular_is_refused(db: None) -> None:
    for call in (APIClient().get, APIClient().post):
        assert call(RULES).status_code == 401

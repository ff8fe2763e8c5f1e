"""GET and POST /api/consents/ and DELETE /api/consents/{id}."""

from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override
from rest_framework.test import APIClient

from accounts.models import User
from core.ids import new_id
from payments.collection import consents, top_ups
from payments.models import AutoTopUp, Consent, PaymentMethod
from tests.payments.api.calls import problem

pytestmark = pytest.mark.django_db
CONSENTS = "/api/v1/consents/"


def card(customer: User, **changes: Any) -> PaymentMethod:
    fields = {"customer": customer, "gateway": "sandbox", "brand": "Visa", "last4": "4242"}
    return PaymentMethod.objects.create(gateway_id=new_id("sbm"), **fields | {"created_at": timezone.now()} | changes)


def give(api: APIClient, method: PaymentMethod, **more: Any) -> Any:
    """Give a consent as a program does: ask for the words first, then send them back."""
    asked = api.post(CONSENTS, {"method": method.public_id})
    assert problem(asked) == (400, "consent_words_required", ["words"])
    return api.post(CONSENTS, {"method": method.public_id, "words": asked.json()["words"]}, **more)


def test_a_consent_is_given_with_the_words_that_were_shown(api: APIClient, alice: User) -> None:
    method = card(alice)
    answer = give(api, method)
    consent = Consent.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": consent.public_id, "purpose": "renewals", "currency": None, "method": method.public_id,
        "words": consents.renewal_words(method), "language": "en", "version": consents.VERSION,
        "given_at": answer.json()["given_at"], "withdrawn_at": None,
    }  # fmt: skip
    assert (consent.words, consent.address) == (consents.renewal_words(method), "127.0.0.1")
    method.refresh_from_db()
    assert method.is_default


def test_without_the_words_or_with_others_nothing_is_given(api: APIClient, alice: User) -> None:
    method = card(alice)
    for words in ("", "I agree."):
        answer = api.post(CONSENTS, {"method": method.public_id, "words": words})
        assert answer.status_code == 400
        assert answer.json()["words"] == consents.renewal_words(method)
        assert answer.json()["version"] == consents.VERSION
    assert not Consent.objects.exists()


def test_the_words_are_in_the_callers_language(api: APIClient, alice: User) -> None:
    method = card(alice)
    russian: dict[str, Any] = {"headers": {"accept-language": "ru"}}
    words = api.post(CONSENTS, {"method": method.public_id}, **russian).json()["words"]
    assert words.startswith("Я разрешаю")
    # The English words are not what this caller was shown.
    with override("en"):
        english = consents.renewal_words(method)
    assert api.post(CONSENTS, {"method": method.public_id, "words": english}, **russian).status_code == 400
    answer = api.post(CONSENTS, {"method": method.public_id, "words": words}, **russian)
    assert (answer.status_code, answer.json()["language"]) == (201, "ru")


def test_the_same_key_gives_one_consent(api: APIClient, alice: User) -> None:
    method = card(alice)
    body = {"method": method.public_id, "words": consents.renewal_words(method)}
    first, second = (api.post(CONSENTS, body, headers={"Idempotency-Key": "consent-1"}) for _ in range(2))
    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"
    assert Consent.objects.count() == 1


def test_a_consent_to_another_method_takes_the_place_of_the_first(api: APIClient, alice: User) -> None:
    give(api, card(alice))
    give(api, card(alice, last4="1881"))
    rows = api.get(CONSENTS).json()["results"]
    assert [row["withdrawn_at"] is None for row in rows] == [True, False]
    assert "1881" in rows[0]["words"]


def test_a_method_that_cannot_be_charged_is_refused(api: APIClient, alice: User) -> None:
    method = card(alice, refused_at=timezone.now())
    answer = give(api, method)
    assert problem(answer) == (409, "method_not_usable", ["method"])
    assert answer.json()["reason"] == "method_refused"


@pytest.mark.parametrize("change", [{"removed_at": timezone.now()}, {"customer": None}])
def test_a_method_that_is_not_yours_is_not_found(
    api: APIClient, alice: User, mallory: User, change: dict[str, Any]
) -> None:
    method = card(mallory if "customer" in change else alice, **{k: v for k, v in change.items() if v})
    for public_id in (method.public_id, "pm_none"):
        assert problem(api.post(CONSENTS, {"method": public_id, "words": "x"})) == (404, "not_found", ["method"])


def test_unknown_fields_and_missing_ones_are_named(api: APIClient) -> None:
    assert problem(api.post(CONSENTS, {"method": "pm_1", "purpose": "all"}))[2] == ["purpose"]
    assert problem(api.post(CONSENTS, {}))[2] == ["method"]
    assert problem(api.get(CONSENTS, {"purpose": "renewals"}))[2] == ["purpose"]


def test_a_withdrawn_consent_stays_in_the_list(api: APIClient, alice: User) -> None:
    consent = give(api, card(alice)).json()["id"]
    for _ in range(2):
        answer = api.delete(f"{CONSENTS}{consent}")
        assert (answer.status_code, answer.content) == (204, b"")
    [row] = api.get(CONSENTS).json()["results"]
    assert row["withdrawn_at"] is not None
    assert consents.in_force(alice.pk, consents.Purpose.RENEWALS) is None


def test_withdrawing_the_consent_of_a_rule_turns_the_rule_off(api: APIClient, alice: User) -> None:
    numbers = {"threshold": 100_00, "amount": 500_00, "cap": 5000_00}
    first, second = (top_ups.turn_on(card(alice), "RUB", address=None, now=timezone.now(), **numbers) for _ in range(2))
    # The consent of the rule before was withdrawn with it: withdrawing it again leaves the new rule on.
    assert api.delete(f"{CONSENTS}{first.consent.public_id}/").status_code == 204
    assert top_ups.rule_of(alice.pk, "RUB") == second
    assert api.delete(f"{CONSENTS}{second.consent.public_id}/").status_code == 204
    assert top_ups.rule_of(alice.pk, "RUB") is None
    assert not AutoTopUp.objects.filter(ended_at=None).exists()


def test_a_consent_of_somebody_else_is_not_found(api: APIClient, mallory_api: APIClient, alice: User) -> None:
    consent = give(api, card(alice)).json()["id"]
    theirs, none = (mallory_api.delete(f"{CONSENTS}{name}/") for name in (consent, "con_none"))
    assert problem(theirs) == problem(none) == (404, "not_found", [])
    assert mallory_api.get(CONSENTS).json()["results"] == []
    assert Consent.objects.get().withdrawn_at is None


def test_an_empty_list_says_so_and_nobody_in_particular_is_refused(api: APIClient) -> None:
    assert api.get("/api/consents").json()["detail"] == "No consents"
    for call in (APIClient().get, APIClient().post):
        assert call(CONSENTS).status_code == 401

"""A repeated request with the same Idempotency-Key gets the first answer and is not run again."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from core.api import idempotency
from core.idempotency import KeyReused, fingerprint, key_of
from core.models import IdempotencyKey
from tests.concurrency.sessions import at_once
from tests.core.api.conftest import logged_in
from tests.core.api.urls import Pay

PAY = "/api/test/pay"


@pytest.fixture(autouse=True)
def _views(test_urls):
    Pay.ran.clear()
    Pay.started.clear()
    Pay.go_on.clear()


def pay(caller, key: str | None, **body):
    headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    return caller.post(PAY, body, **headers)


def test_without_a_key_each_request_runs(as_alice):
    assert pay(as_alice, None, amount=1).json()["number"] == 1
    assert pay(as_alice, None, amount=1).json()["number"] == 2


def test_a_repeated_request_gets_the_first_answer(as_alice):
    first = pay(as_alice, "k1", amount=5)
    again = pay(as_alice, "k1", amount=5)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Pay.ran == [key_of("api", "k1")]


def test_the_order_of_json_keys_does_not_matter(as_alice):
    first = as_alice.generic("POST", PAY, '{"amount": 5, "a": 1}', "application/json", HTTP_IDEMPOTENCY_KEY="k")
    again = as_alice.generic("POST", PAY, '{"a":1,"amount":5}', "application/json", HTTP_IDEMPOTENCY_KEY="k")
    assert again.json() == first.json()
    assert len(Pay.ran) == 1


def test_a_trailing_slash_does_not_matter(as_alice):
    pay(as_alice, "k", amount=5)
    again = as_alice.post(PAY + "/", {"amount": 5}, HTTP_IDEMPOTENCY_KEY="k")
    assert again["Idempotent-Replayed"] == "true"


def test_a_different_body_with_the_same_key_is_422(as_alice):
    pay(as_alice, "k1", amount=5)
    answer = pay(as_alice, "k1", amount=6)
    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_key_reused"
    assert answer.json()["errors"][0]["param"] == "Idempotency-Key"
    assert len(Pay.ran) == 1


def test_another_user_may_use_the_same_key(as_alice, as_mallory):
    assert pay(as_alice, "k1", amount=5).json()["number"] == 1
    assert pay(as_mallory, "k1", amount=5).json()["number"] == 2


@pytest.mark.parametrize("key", ["", " ", "a" * 256, "ключ", "a\tb", "a\x7fb", "a\x00b", " a", "a ", "a,b", "a, b"])
def test_a_key_is_1_to_255_printable_ascii_characters(as_alice, key):
    answer = pay(as_alice, key, amount=5)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_idempotency_key"
    assert Pay.ran == []


@pytest.mark.parametrize("key", ["a", "a" * 255, "order 7/2026: first", "0b7d3f7e-5f0c-4c8e-9f55-2f1f9a1f9a1f"])
def test_any_printable_key_is_valid(as_alice, key):
    assert pay(as_alice, key, amount=5).status_code == 201
    assert pay(as_alice, key, amount=5)["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_refusal_is_replayed_as_a_problem(as_alice, status):
    assert pay(as_alice, "k", status=status).status_code == status
    again = pay(as_alice, "k", status=status)
    assert (again.status_code, again["Content-Type"]) == (status, "application/problem+json")
    assert len(Pay.ran) == 1


@pytest.mark.parametrize("status", [402, 409, 429, 500, 502, 503])
def test_an_answer_that_may_change_is_not_stored(as_alice, status):
    assert pay(as_alice, "k", status=status).status_code == status
    assert pay(as_alice, "k", status=status).status_code == status
    assert len(Pay.ran) == 2
    assert IdempotencyKey.objects.get().status is None


@pytest.mark.parametrize("status", [402, 409, 429, 500, 502, 503])
def test_a_key_without_a_stored_answer_still_belongs_to_its_request(as_alice, status):
    pay(as_alice, "k", status=status)
    other = pay(as_alice, "k", status=status, amount=6)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(Pay.ran) == 1
    assert pay(as_alice, "k", status=status).status_code == status
    assert len(Pay.ran) == 2


@pytest.mark.parametrize(("fault", "status"), [("bug", 500), ("operational", 503), ("unavailable", 503)])
def test_a_failed_request_may_be_repeated_at_once(as_alice, fault, status):
    assert pay(as_alice, "k", fault=fault).status_code == status
    assert pay(as_alice, "k", fault=fault).status_code == status
    assert len(Pay.ran) == 2


def test_a_request_that_lacked_money_runs_again(as_alice):
    assert [pay(as_alice, "k", fault="domain").status_code for _time in range(2)] == [402, 402]
    assert len(Pay.ran) == 2


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_patch_and_delete_honour_the_key(as_alice, method):
    first, again = (getattr(as_alice, method)(PAY, {"amount": 5}, headers={"idempotency-key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    assert len(Pay.ran) == 1
    # The key belongs to the method too.
    assert pay(as_alice, "k", amount=5).status_code == 422


def test_a_method_that_the_view_does_not_have_uses_up_no_key(as_alice):
    assert as_alice.put(PAY, {"amount": 5}, headers={"idempotency-key": "k"}).status_code == 405
    pay(as_alice, "k", amount=5)
    consents = as_alice.patch("/api/consents/", {"amount": 5}, headers={"idempotency-key": "k"})
    assert (consents.status_code, consents.json()["code"]) == (405, "method_not_allowed")


def test_an_empty_answer_is_replayed_empty(as_alice):
    first, again = (as_alice.delete(PAY, {"status": 204}, headers={"idempotency-key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code, again.content) == (204, 204, b"")
    assert again["Idempotent-Replayed"] == "true"


def test_decimal_amounts_are_stored_exactly(as_alice):
    body = '{"amount": 1342.10}'
    first = as_alice.generic("POST", PAY, body, "application/json", HTTP_IDEMPOTENCY_KEY="k")
    again = as_alice.generic("POST", PAY, body, "application/json", HTTP_IDEMPOTENCY_KEY="k")
    assert first.json()["amount"] == again.json()["amount"] == "1342.10"


def test_an_invalid_body_does_not_use_up_the_key(as_alice):
    assert as_alice.generic("POST", PAY, "{", "application/json", HTTP_IDEMPOTENCY_KEY="k").status_code == 400
    assert pay(as_alice, "k", amount=1).status_code == 201


def test_an_unauthenticated_request_does_not_use_up_the_key(client, db):
    assert pay(client, "k", amount=1).status_code == 401
    assert not IdempotencyKey.objects.exists()


def age_keys(seconds: float) -> None:
    """Set the age of all keys."""
    IdempotencyKey.objects.update(created_at=datetime.now(UTC) - timedelta(seconds=seconds))


def test_the_claim_of_a_dead_process_is_taken_over_after_a_minute(as_alice, alice):
    digest = fingerprint(method="POST", path=PAY, body={"amount": 5})
    idempotency.claim(alice.pk, key="k", fingerprint=digest)
    age_keys(55)
    held = pay(as_alice, "k", amount=5)
    assert held.status_code == 409
    assert held.json()["code"] == "idempotency_key_in_use"
    assert held["Retry-After"] == "1"
    age_keys(61)
    assert pay(as_alice, "k", amount=6).status_code == 422
    assert pay(as_alice, "k", amount=5).status_code == 201
    assert pay(as_alice, "k", amount=5)["Idempotent-Replayed"] == "true"


def test_a_slow_process_does_not_overwrite_the_answer_of_its_successor(as_alice, alice):
    digest = fingerprint(method="POST", path=PAY, body={"amount": 5})
    slow = idempotency.claim(alice.pk, key="k", fingerprint=digest)
    age_keys(120)
    assert pay(as_alice, "k", amount=5).status_code == 201
    idempotency.keep(slow, 200, {"number": "slow"})
    idempotency.release(slow)
    assert pay(as_alice, "k", amount=5).json()["number"] == 1


@pytest.mark.parametrize("days", [-1, 1, 40])
def test_the_clock_of_the_machine_that_serves_the_request_does_not_count(as_alice, alice, time_machine, days):
    """A released key is free on all machines, a held one is held and none is forgotten, whatever one believes."""
    pay(as_alice, "released", status=409)
    held = idempotency.claim(alice.pk, key="held", fingerprint="f")
    IdempotencyKey.objects.filter(id=held.id).update(is_carried_out=True)
    digest = fingerprint(method="POST", path=PAY, body={"amount": 5})
    time_machine.move_to(datetime.now(UTC) + timedelta(days=days))
    with pytest.raises(idempotency.KeyInUse):
        idempotency.claim(alice.pk, key="held", fingerprint="f")
    idempotency.claim(alice.pk, key="new", fingerprint=digest)
    time_machine.move_to(datetime.now(UTC) - timedelta(days=days))
    assert idempotency.forget() == 0
    assert IdempotencyKey.objects.get(id=held.id).is_carried_out
    with pytest.raises(KeyReused):
        idempotency.claim(alice.pk, key="released", fingerprint="another")
    old = IdempotencyKey.objects.get(key="released")
    for _ in range(2):
        again = idempotency.claim(alice.pk, key="released", fingerprint=old.fingerprint)
        idempotency.release(again)


def test_a_key_is_deleted_after_thirty_days(as_alice):
    pay(as_alice, "k", amount=5)
    age_keys(30 * 86400 - 60)
    assert idempotency.forget() == 0
    assert pay(as_alice, "k", amount=5)["Idempotent-Replayed"] == "true"
    age_keys(30 * 86400 + 60)
    assert pay(as_alice, "k", amount=6).status_code == 201
    age_keys(30 * 86400 + 60)
    assert idempotency.forget() == 1


@pytest.mark.django_db(transaction=True)
def test_only_one_of_many_simultaneous_requests_runs(alice):
    callers = [logged_in(alice) for _ in range(8)]
    answers: list[int] = []

    def send(caller):
        answers.append(pay(caller, "k", amount=5, slow=True).status_code)
        connections.close_all()

    first = threading.Thread(target=send, args=[callers[0]])
    first.start()
    assert Pay.started.wait(20)
    others = [threading.Thread(target=send, args=[caller]) for caller in callers[1:]]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join(30)
    assert answers == [409] * 7
    Pay.go_on.set()
    first.join(30)
    assert sorted(answers) == [201] + [409] * 7
    assert len(Pay.ran) == 1
    assert pay(callers[3], "k", amount=5, slow=True)["Idempotent-Replayed"] == "true"


@pytest.mark.django_db(transaction=True)
def test_only_one_of_eight_simultaneous_claims_gets_the_key(alice):
    for round_number in range(10):
        # A claim ends with its session, so all sessions last until each has tried.
        tried = threading.Barrier(8)

        def take(key: str = f"k{round_number}", tried: threading.Barrier = tried) -> idempotency.Claim | None:
            try:
                return idempotency.claim(alice.pk, key=key, fingerprint="f")
            except idempotency.KeyInUse:
                return None
            finally:
                tried.wait(30)

        got = at_once([take] * 8)
        assert len(got) == 8
        assert sum(claim is not None for claim in got) == 1

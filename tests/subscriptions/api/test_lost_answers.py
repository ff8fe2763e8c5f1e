"""An action whose answer was lost is not done again by the same request, whatever has happened in between."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from core.models import IdempotencyKey
from subscriptions.models import Charge, Price, Subscription
from subscriptions.storage import write
from tests.subscriptions.shop import client, pay_in, sell


@pytest.fixture
def subscription(alice) -> str:
    sell("basic", RUB=300_00)
    sell("big", RUB=900_00)
    pay_in(alice, 50_000_00)
    return client(alice).post("/api/subscriptions/", {"plan": "basic"}).json()["id"]


@pytest.fixture
def send(alice, subscription):
    def post(action: str, key: str, **body):
        return client(alice).post(f"/api/subscriptions/{subscription}/{action}", body, HTTP_IDEMPOTENCY_KEY=key)

    return post


def lose_answers(*, age: timedelta = timedelta(seconds=61)) -> None:
    """Leave the keys as a process does that dies after its work."""
    IdempotencyKey.objects.update(status=None, body=None, created_at=timezone.now() - age)


def test_a_change_of_plan_is_not_charged_again_after_another_change(send):
    assert send("change-plan", "a1", plan="big").json()["plan"] == "big"
    lose_answers()
    assert send("change-plan", "a2", plan="basic").json()["plan"] == "basic"
    charges = Charge.objects.count()
    Price.objects.filter(plan__code="big").update(archived_at=timezone.now())
    again = send("change-plan", "a1", plan="big")
    assert (again.status_code, again.json()["plan"]) == (200, "basic")
    assert Charge.objects.count() == charges
    assert send("change-plan", "a1", plan="big")["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(("first", "undo"), [("pause", "resume"), ("cancel", "undo-cancel")])
def test_an_action_that_was_undone_is_not_done_again(send, first, undo):
    was = Subscription.objects.values("status", "cancel_requested").get()
    assert send(first, "a1").status_code == 200
    lose_answers()
    assert send(undo, "a2").status_code == 200
    lose_answers()
    assert send(first, "a1").status_code == 200
    assert send(undo, "a2").status_code == 200, "the undoing is not done again either"
    assert Subscription.objects.values("status", "cancel_requested").get() == was


def test_a_refused_action_runs_again(send, alice):
    assert send("resume", "a1").status_code == 409
    assert send("pause", "a2").status_code == 200
    assert send("resume", "a1").json()["status"] == "active"


def test_an_action_that_was_rolled_back_runs_again(send, monkeypatch):
    real = write.write

    def fail(items):
        raise DatabaseError("lost")

    monkeypatch.setattr(write, "write", fail)
    with pytest.raises(DatabaseError):
        send("pause", "a1")
    monkeypatch.setattr(write, "write", real)
    assert send("pause", "a1").json()["status"] == "paused"


def test_after_thirty_days_a_key_begins_anew(send):
    assert send("pause", "a1").status_code == 200
    assert send("resume", "a2").status_code == 200
    lose_answers(age=timedelta(days=30, seconds=1))
    assert send("pause", "a1").json()["status"] == "paused"


def test_a_patch_and_a_delete_whose_answers_were_lost_are_not_done_again(send, subscription, alice):
    api, url = client(alice), f"/api/subscriptions/{subscription}"
    for key, method in (("p", api.patch), ("d", api.delete)):
        body = {"quantity": 2} if key == "p" else {}
        assert method(url, body, headers={"idempotency-key": key}).status_code == 200
        lose_answers()
        undo = ("change-quantity", {"quantity": 1}) if key == "p" else ("undo-cancel", {})
        assert send(undo[0], f"undo {key}", **undo[1]).status_code == 200
        again = method(url, body, headers={"idempotency-key": key}).json()
        assert (again["quantity"], again["cancel_at_period_end"]) == (1, False)


def test_a_change_that_lacked_money_is_made_by_the_same_request_after_a_top_up(alice):
    sell("basic", RUB=300_00)
    sell("big", RUB=900_00)
    pay_in(alice, 300_00)
    row = client(alice).post("/api/subscriptions/", {"plan": "basic"}).json()["id"]

    def change():
        return client(alice).post(
            f"/api/subscriptions/{row}/change-plan", {"plan": "big"}, headers={"idempotency-key": "c"}
        )

    assert change().status_code == 402
    pay_in(alice, 5_000_00)
    assert (change().status_code, change().json()["plan"]) == (200, "big")
    assert change()["Idempotent-Replayed"] == "true"

"""Attempts whose answer is lost, that die half-way, or whose card is gone: never a second charge for one cause."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction

from core.ids import new_id
from payments import cancellation, reconciliation, refunds
from payments.collection import attempts, causes, consents, plans, states
from payments.collection.attempts import NotTried
from payments.gateways.sandbox import methods
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Collection, CollectionPlan, Consent, Payment, PaymentMethod
from subscriptions import overview
from tests.payments.collection.story import Story

pytestmark = pytest.mark.django_db

AHEAD = datetime(2026, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def due(story: Story) -> Story:
    """A renewal that is to be charged now."""
    story.buy()
    story.agree()
    story.run()
    story.travel(AHEAD)
    return story


def charges() -> int:
    """Return how many charges of a kept card the gateway has made."""
    return SandboxSession.objects.filter(charged__isnull=False).count()


def begun(story: Story) -> Collection:
    """Begin the collection, but make no attempt."""
    [wallet_plan] = CollectionPlan.objects.all()
    view = overview.peek(story.customer, "RUB", now=story.now)
    [cause] = causes.renewal_causes(view, wallet_plan.pk, now=story.now)
    collection = states.begin(wallet_plan, "RUB", cause, now=story.now)
    assert collection is not None
    return collection


def test_a_lost_answer_is_found_by_our_id(due: Story) -> None:
    due.answer("no_answer")
    plans.check_due(now=due.now)
    [attempt] = due.attempts
    assert (attempt.status, attempt.gateway_id, due.collection.status) == ("unknown", None, "charging")
    # The gateway is silent for 20 s; after 30 s it is asked again.
    due.later(seconds=30)
    due.run()
    [attempt] = due.attempts
    assert (attempt.status, due.collection.status, due.balance, charges()) == ("confirmed", "collected", 990_00, 1)


def test_no_second_attempt_begins_while_the_first_is_unknown(due: Story) -> None:
    due.answer("no_answer")
    plans.check_due(now=due.now)
    for _hour in range(3):
        due.later(hours=1)
        plans.check_due(now=due.now)
    assert (len(due.attempts), charges()) == (1, 1)


def test_an_attempt_that_was_never_sent_is_made_again_once(due: Story) -> None:
    """The worker dies between the commit and the call."""
    attempt = attempts.begin(begun(due).pk, now=due.now)
    assert isinstance(attempt, Payment)
    for _minutes in (1, 3):
        due.later(minutes=_minutes)
        due.run()
        assert [each.status for each in due.attempts] == ["unknown"]
    # At ten minutes it is certain that it never arrived; the next attempt waits ten minutes more.
    due.later(minutes=7)
    due.run()
    assert [(each.status, each.failure_code) for each in due.attempts] == [("failed", "not_made")]
    assert (due.collection.status, due.collection.declines, due.events()) == ("waiting", 0, [])
    due.later(minutes=10)
    due.run()
    assert [each.status for each in due.attempts] == ["failed", "confirmed"]
    assert (due.balance, charges()) == (990_00, 1)


def test_an_attempt_that_was_declared_failed_is_not_sent_by_a_worker_that_wakes_up(due: Story) -> None:
    """The worker freezes between the commit and the call; after ten minutes another one takes its place."""
    frozen = attempts.begin(begun(due).pk, now=due.now)
    assert isinstance(frozen, Payment)
    due.later(minutes=10)
    due.run()
    assert [(each.status, each.failure_code) for each in due.attempts] == [("failed", "not_made")]
    assert attempts.send(frozen, now=due.now).status == "failed"
    assert charges() == 0
    due.later(minutes=10)
    due.run()
    assert attempts.send(frozen, now=due.now).status == "failed"
    assert ([each.status for each in due.attempts], due.balance, charges()) == (["failed", "confirmed"], 990_00, 1)


def test_a_card_removed_in_the_middle_is_not_charged(due: Story) -> None:
    attempt = attempts.begin(begun(due).pk, now=due.now)
    assert isinstance(attempt, Payment)
    PaymentMethod.objects.update(removed_at=due.now)
    assert attempts.send(attempt, now=due.now).status == "cancelled"
    assert charges() == 0
    due.run()
    assert (due.collection.status, due.balance) == ("stopped", 0)


def test_a_consent_withdrawn_in_the_middle_stops_the_charge(due: Story) -> None:
    attempt = attempts.begin(begun(due).pk, now=due.now)
    assert isinstance(attempt, Payment)
    consents.withdraw(Consent.objects.get(), now=due.now)
    assert attempts.send(attempt, now=due.now).status == "cancelled"
    assert charges() == 0


def test_a_card_that_the_gateway_has_forgotten_is_refused(due: Story) -> None:
    methods.forget(due.card.gateway_id, now=due.now)
    due.run()
    [attempt] = due.attempts
    assert (attempt.status, attempt.failure_code, attempt.decline) == ("failed", "method_gone", "hard")
    assert (due.card.refused_code, due.collection.status) == ("method_gone", "waiting")


def test_an_expired_card_is_not_charged(due: Story) -> None:
    PaymentMethod.objects.update(expires_on=due.now - timedelta(days=1))
    due.run()
    assert (due.attempts, due.collection.reason) == ([], "method_expired")
    assert due.events() == ["not_tried"]


def test_a_card_is_usable_to_the_end_of_its_last_day(due: Story) -> None:
    PaymentMethod.objects.update(expires_on=due.now - timedelta(days=1) + timedelta(microseconds=1))
    due.run()
    assert [each.status for each in due.attempts] == ["confirmed"]


def test_the_charge_is_raised_to_a_step_of_the_gateway(due: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """990.00 are missing, and the gateway takes steps of 100.00."""
    can = replace(Sandbox().can, steps={"RUB": 100_00})
    monkeypatch.setattr(Sandbox, "can", can)
    due.run()
    assert [(each.status, each.amount) for each in due.attempts] == [("confirmed", 1000_00)]


def test_no_attempt_begins_while_the_breaker_of_the_gateway_is_open(due: Story) -> None:
    cache.set("gateway-paused:sandbox", 1, timeout=30)
    plans.check_due(now=due.now)
    assert (due.attempts, due.collection.status) == ([], "waiting")
    cache.clear()
    due.later(minutes=1)
    plans.check_due(now=due.now)
    assert [each.status for each in due.attempts] == ["confirmed"]


def test_money_on_its_way_counts(due: Story) -> None:
    Payment.objects.create(
        customer=due.customer, amount=990_00, currency="RUB", gateway="sandbox", gateway_id=new_id("sbx"),
        gateway_state="processing", created_at=due.now, updated_at=due.now, expires_at=due.now + timedelta(days=3),
    )  # fmt: skip
    plans.check_due(now=due.now)
    assert (due.attempts, due.decisions()[-1]) == ([], "payment_in_progress")
    # It fails, and an hour later the renewal is charged after all.
    Payment.objects.filter(gateway_state="processing").update(status="failed")
    due.later(hours=1)
    plans.check_due(now=due.now)
    assert [each.amount for each in due.attempts] == [990_00]


def test_an_attempt_is_decided_on_once(due: Story) -> None:
    collection = begun(due)
    assert isinstance(attempts.begin(collection.pk, now=due.now), Payment)
    assert attempts.begin(collection.pk, now=due.now) == NotTried("not_waiting")


def test_the_database_allows_one_open_attempt_and_one_open_collection(due: Story) -> None:
    collection = begun(due)
    attempt = attempts.begin(collection.pk, now=due.now)
    assert isinstance(attempt, Payment)
    attempt.pk, attempt.public_id = None, new_id("pay")
    with pytest.raises(IntegrityError, match="one_open_attempt_per_collection"), transaction.atomic():
        attempt.save(force_insert=True)
    collection.pk, collection.public_id, collection.cause = None, new_id("col"), "renewal:another"
    collection.status, collection.next_at = "waiting", due.now
    with pytest.raises(IntegrityError, match="one_open_collection_per_wallet"), transaction.atomic():
        collection.save(force_insert=True)


def test_a_customer_cannot_cancel_a_charge_that_may_have_been_made(due: Story) -> None:
    due.answer("no_answer")
    plans.check_due(now=due.now)
    Payment.objects.filter(collection__isnull=False).update(status="pending")
    with pytest.raises(cancellation.NotCancellable):
        cancellation.cancel(due.attempts[0], now=due.now)


def test_an_expired_charge_without_an_answer_is_looked_for(due: Story) -> None:
    due.answer("no_answer")
    plans.check_due(now=due.now)
    [attempt] = due.attempts
    due.later(hours=24)
    assert reconciliation.expire(attempt, now=due.now).status == "confirmed"


def test_a_charge_is_refunded_like_any_payment(due: Story) -> None:
    due.run()
    [attempt] = due.attempts
    refund = refunds.issue(attempt, now=due.now)
    assert (refund.status, due.balance) == ("succeeded", 0)


def test_a_collection_that_raises_stops_no_other(due: Story, mallory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Story(mallory, due.traveller)
    other.buy()
    other.agree()
    plans.mark_changed(now=due.now)
    broken = CollectionPlan.objects.get(customer=due.customer)
    original = causes.renewal_causes

    def raises(view: Any, wallet_id: int, **more: Any) -> Any:
        if wallet_id == broken.pk:
            raise RuntimeError("broken")
        return original(view, wallet_id, **more)

    monkeypatch.setattr(causes, "renewal_causes", raises)
    plans.check_due(now=due.now)
    broken.refresh_from_db()
    assert (broken.failures, broken.check_at) == (1, due.now + timedelta(seconds=30))
    assert CollectionPlan.objects.get(customer=mallory).failures == 0

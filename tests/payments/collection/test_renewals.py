"""Renewals that are paid from a saved card of the sandbox, from the charge ahead to the end of dunning.

The plan is bought at noon on Monday, 2 March 2026. It renews on Thursday, 2 April; the charge is due a day before.
"""

from datetime import timedelta
from typing import Any

import pytest

from payments import cancellation
from payments.collection import consents, plans
from payments.gateways.sandbox import outcomes, sessions
from payments.models import Collection, CollectionPlan, Consent, PaymentMethod
from subscriptions import books, closure
from tests.payments.collection.story import AHEAD, MAY, RENEWAL, Story, at, dispute
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


def test_a_renewal_is_charged_a_day_before_and_service_goes_on(story: Story, agreed: Any) -> None:
    assert CollectionPlan.objects.get().check_at == AHEAD
    story.travel(AHEAD - timedelta(microseconds=1))
    story.run()
    assert story.attempts == []
    story.travel(AHEAD)
    story.run()
    [attempt] = story.attempts
    assert (attempt.status, attempt.amount, attempt.method) == ("confirmed", 990_00, story.card)
    assert (story.collection.status, story.collection.amount, story.balance) == ("collected", 990_00, 990_00)
    story.travel(RENEWAL)
    story.run()
    assert (story.status(agreed), agreed.period_end, story.balance) == ("active", MAY, 0)
    assert story.events() == ["collected"]
    assert story.decisions() == ["not_yet", "begun", "charged", "collected", "not_yet", "not_yet"]


def test_the_event_has_what_a_mail_needs(story: Story, agreed: Any) -> None:
    story.travel(AHEAD)
    story.run()
    [attempt] = story.attempts
    data = story.event("collection.collected")
    assert data["amount"] == {"value": "990.00", "currency": "RUB"}
    assert (data["payment"], data["method"]) == (attempt.public_id, "Visa •••• 4242")
    assert (data["subscriptions"], data["due_at"]) == ([agreed.public_id], RENEWAL.isoformat())
    assert story.event("payment.confirmed")["collection"] == story.collection.public_id


def test_only_what_is_missing_is_charged(story: Story, agreed: Any) -> None:
    pay_in(story.customer, 400_00, at=story.now)
    story.travel(AHEAD)
    story.run()
    assert [attempt.amount for attempt in story.attempts] == [590_00]
    assert story.balance == 990_00


def test_at_least_what_gateways_take_is_charged(story: Story, agreed: Any) -> None:
    pay_in(story.customer, 950_00, at=story.now)
    story.travel(AHEAD)
    story.run()
    # 40.00 are missing, and gateways take no less than 100.00.
    assert [attempt.amount for attempt in story.attempts] == [100_00]


def test_after_a_dispute_nothing_is_charged_until_the_customer_agrees_anew(story: Story, agreed: Any) -> None:
    story.travel(AHEAD - timedelta(days=1))
    dispute(story.top_up(200_00), now=story.now)
    assert Consent.objects.get().withdrawn_at == story.now
    assert story.event("consent.withdrawn")["reason"] == "disputed"
    story.travel(AHEAD)
    story.run()
    assert story.attempts == []
    consents.agree_to_renewals(story.card, address=None, now=story.now)
    story.run()
    assert [(each.status, each.amount) for each in story.attempts] == [("confirmed", 990_00)]


def test_nothing_is_charged_without_consent(story: Story) -> None:
    subscription = story.buy()
    story.travel(RENEWAL)
    story.run()
    assert (story.attempts, story.status(subscription)) == ([], "suspended")
    assert not Collection.objects.exists()


def test_nothing_is_charged_if_the_balance_is_enough(story: Story, agreed: Any) -> None:
    pay_in(story.customer, 990_00, at=story.now)
    story.travel(RENEWAL)
    story.run()
    assert (story.attempts, story.status(agreed)) == ([], "active")
    assert not Collection.objects.exists()


def test_the_plan_follows_the_book(story: Story, agreed: Any) -> None:
    pay_in(story.customer, 990_00, at=story.now)
    plans.check_due(now=story.now)
    # April is paid for, so May is the next one that is not.
    assert CollectionPlan.objects.get().check_at == MAY - timedelta(days=1)


@pytest.mark.parametrize("act", ["stop_renewing", "cancel"])
def test_who_does_not_renew_is_not_charged(story: Story, agreed: Any, act: str) -> None:
    with books.open(story.customer, "RUB", now=story.now) as book:
        book.cancel(agreed) if act == "cancel" else book.set_auto_renew(agreed, False)
    story.travel(RENEWAL)
    story.run()
    assert story.attempts == []


def test_metered_use_is_no_renewal(story: Story, hourly: Any) -> None:
    story.buy("hourly", amount=None)
    story.agree()
    story.run_until(story.now + timedelta(days=5), every=timedelta(hours=12))
    assert story.attempts == []


def test_a_closed_account_is_not_charged(story: Story, agreed: Any) -> None:
    closure.close(story.customer, now=story.now)
    story.travel(AHEAD)
    story.run()
    assert story.attempts == []


def test_the_bank_asks_the_customer_to_confirm(story: Story, agreed: Any) -> None:
    story.answer("bank_asks")
    story.travel(AHEAD)
    story.run()
    [attempt] = story.attempts
    assert (attempt.status, story.collection.status, story.balance) == ("pending", "action_required", 0)
    data = story.event("collection.action_required")
    assert data["link"] == f"/pay/{attempt.public_id}/"
    assert attempt.confirmation_url.endswith("/bank/")
    # Nothing else is tried meanwhile.
    story.later(hours=3)
    story.run()
    assert len(story.attempts) == 1
    assert sessions.choose(
        str(attempt.gateway_id), outcomes.APPROVE, expected=sessions.Status.REQUIRES_ACTION, now=story.now
    )
    story.later(hours=5)
    story.run()
    assert (story.collection.status, story.balance) == ("collected", 990_00)
    assert story.events() == ["action_required", "collected"]


def test_who_does_not_confirm_is_asked_again(story: Story, agreed: Any) -> None:
    story.answer("bank_asks")
    story.travel(AHEAD)
    story.run()
    story.travel(AHEAD + timedelta(hours=23))
    story.run()
    [attempt] = story.attempts
    assert (attempt.status, story.collection.status) == ("expired", "waiting")
    # A day after the page has expired.
    assert story.collection.next_at == AHEAD + timedelta(hours=47)
    story.travel(story.collection.next_at)
    story.run()
    assert story.events() == ["action_required", "declined", "action_required"]


def test_money_from_elsewhere_closes_the_banks_page(story: Story, agreed: Any) -> None:
    story.answer("bank_asks")
    story.travel(AHEAD)
    story.run()
    pay_in(story.customer, 990_00, at=story.now)
    story.later(minutes=1)
    story.run()
    assert (story.attempts[0].status, story.collection.status) == ("cancelled", "covered")


def test_who_cancels_the_attempt_is_left_alone(story: Story, agreed: Any) -> None:
    story.answer("bank_asks")
    story.travel(AHEAD)
    story.run()
    cancellation.cancel(story.attempts[0], now=story.now)
    story.run_until(at("04-09 12:00"), every=timedelta(hours=6))
    assert (story.collection.status, story.collection.reason, len(story.attempts)) == ("stopped", "cancelled", 1)


def test_a_withdrawn_consent_ends_dunning(story: Story, agreed: Any) -> None:
    story.answer("insufficient_funds")
    story.travel(AHEAD)
    story.run()
    consents.withdraw(Consent.objects.get(), now=story.now)
    story.run()
    assert (story.collection.status, story.collection.reason) == ("stopped", "consent_withdrawn")
    story.run_until(at("04-09 12:00"), every=timedelta(hours=6))
    assert len(story.attempts) == 1


def test_who_agrees_again_is_charged_again(story: Story, agreed: Any) -> None:
    story.answer("insufficient_funds")
    story.travel(AHEAD)
    story.run()
    consents.withdraw(Consent.objects.get(), now=story.now)
    story.run()
    story.answer("succeeds")
    story.later(hours=1)
    story.agree()
    story.run()
    assert (story.collection.status, len(story.attempts), story.balance) == ("collected", 2, 990_00)


@pytest.mark.parametrize("code", ["succeeds", "bank_asks"])
def test_a_removed_card_is_not_charged(story: Story, agreed: Any, code: str) -> None:
    story.answer(code)
    story.travel(AHEAD - timedelta(minutes=1))
    PaymentMethod.objects.update(removed_at=story.now)
    story.travel(AHEAD)
    story.run()
    assert (story.attempts, story.collection.reason) == ([], "method_removed")


def test_removing_the_card_closes_the_banks_page(story: Story, agreed: Any) -> None:
    story.answer("bank_asks")
    story.travel(AHEAD)
    story.run()
    PaymentMethod.objects.update(removed_at=story.now)
    story.later(minutes=1)
    story.run()
    assert (story.attempts[0].status, story.collection.reason) == ("cancelled", "method_removed")


def test_a_renewal_missed_by_an_outage_is_collected_afterwards(story: Story, agreed: Any) -> None:
    story.travel(RENEWAL + timedelta(hours=5))
    story.run()
    assert (story.status(agreed), agreed.period_start) == ("active", story.now)
    assert [attempt.amount for attempt in story.attempts] == [990_00]


def test_what_stopped_for_another_reason_is_not_collected(story: Story, agreed: Any) -> None:
    with books.open(story.customer, "RUB", now=story.now) as book:
        book.lose_dispute(500_00, key="dispute:test")
    assert story.status(agreed) == "suspended"
    story.run_until(RENEWAL + timedelta(days=8), every=timedelta(days=1))
    assert story.attempts == []


def test_money_spent_elsewhere_is_not_collected_twice_for_one_renewal(story: Story, agreed: Any) -> None:
    story.travel(AHEAD)
    story.run()
    assert story.balance == 990_00
    with books.open(story.customer, "RUB", now=story.now) as book:
        book.withdraw(500_00, key="test:out", to="adjustments", reason="adjustment")
    story.later(minutes=1)
    story.run()
    story.travel(RENEWAL)
    story.run()
    assert (len(story.attempts), story.status(agreed)) == (1, "suspended")
    assert "not_again" in story.decisions()


def test_a_short_period_is_charged_a_quarter_of_it_ahead(story: Story) -> None:
    sell("daily", RUB=200_00, interval="day")
    story.buy("daily")
    story.agree()
    story.run()
    # It renews at noon tomorrow; six hours are a quarter of the day.
    assert CollectionPlan.objects.get().check_at == at("03-03 06:00")


def test_the_end_of_a_trial_is_collected(story: Story) -> None:
    price = sell("tried", RUB=990_00, trial_days=14)["RUB"]
    story.buy()
    story.agree()
    with books.open(story.customer, "RUB", now=story.now) as book:
        trial = book.subscribe(price)
    story.run()
    # The trial ends on 16 March at noon.
    assert CollectionPlan.objects.get().check_at == at("03-15 12:00")
    story.travel(at("03-15 12:00"))
    story.run()
    assert [attempt.amount for attempt in story.attempts] == [990_00]
    story.travel(at("03-16 12:00"))
    story.run()
    assert story.status(trial) == "active"

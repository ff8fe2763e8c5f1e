"""Declined charges of renewals: when they are tried again, what ends that, and cards that are refused for good.

The first attempt is on Wednesday, 1 April 2026, a day before the renewal.
"""

from datetime import timedelta
from typing import Any

import pytest

from core.ids import new_id
from payments.collection import consents
from payments.gateways.sandbox.models import SandboxSession
from payments.models import PaymentMethod
from tests.payments.collection.story import AHEAD, MAY, RENEWAL, Story, at
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


def test_dunning_to_its_end(story: Story, agreed: Any) -> None:
    """The first decline is on Wednesday, 1 April. Three days later it is Saturday, so Monday morning counts.

    The fifth day is that Monday too, so the next try is a day after the one before.
    """
    story.answer("insufficient_funds")
    tries = [at("04-01 12:00"), at("04-02 12:00"), at("04-06 09:00"), at("04-07 09:00"), at("04-08 12:00")]
    for number, moment in enumerate(tries, start=1):
        story.travel(moment - timedelta(seconds=1))
        story.run()
        assert len(story.attempts) == number - 1
        story.travel(moment)
        story.run()
        assert len(story.attempts) == number
    assert {attempt.status for attempt in story.attempts} == {"failed"}
    assert (story.collection.status, story.collection.reason) == ("given_up", "insufficient_funds")
    assert story.events() == ["declined"] * 5 + ["given_up"]
    assert story.status(agreed) == "suspended"
    # Then what the plan says: it is kept for 30 days.
    story.travel(RENEWAL + timedelta(days=30))
    story.run()
    assert (story.status(agreed), len(story.attempts)) == ("expired", 5)


def test_each_decline_tells_when_it_is_tried_again(story: Story, agreed: Any) -> None:
    story.answer("insufficient_funds")
    story.travel(AHEAD)
    story.run()
    data = story.event("collection.declined")
    assert (data["reason"], data["decline"], data["declines"]) == ("insufficient_funds", "soft", 1)
    assert (data["next_at"], data["link"]) == (at("04-02 12:00").isoformat(), "/account/")


def test_working_hours_are_those_of_the_customer(story: Story, agreed: Any) -> None:
    """In Vladivostok, ten hours ahead of UTC, it is 22:00: the try waits for Friday, 3 April, at 9:00 there."""
    story.customer.time_zone = "Asia/Vladivostok"
    story.customer.save()
    story.answer("insufficient_funds")
    story.travel(AHEAD)
    story.run()
    assert story.collection.next_at == at("04-02 23:00")


def test_without_a_time_zone_of_the_customer_that_of_the_setting_counts(
    story: Story, agreed: Any, settings: Any
) -> None:
    """In Tokyo, nine hours ahead of UTC, it is 21:00."""
    settings.COLLECTION_TIME_ZONE = "Asia/Tokyo"
    story.answer("insufficient_funds")
    story.travel(AHEAD)
    story.run()
    assert story.collection.next_at == at("04-03 00:00")


def test_a_later_try_that_succeeds_brings_the_service_back(story: Story, agreed: Any) -> None:
    story.answer("insufficient_funds")
    for moment in (AHEAD, RENEWAL):
        story.travel(moment)
        story.run()
    assert story.status(agreed) == "suspended"
    story.answer("succeeds")
    story.travel(at("04-06 09:00"))
    story.run()
    # It starts afresh: the days without service cost nothing.
    assert (story.status(agreed), agreed.period_start, story.balance) == ("active", at("04-06 09:00"), 0)
    assert (story.collection.status, len(story.attempts)) == ("collected", 3)


def test_grace_goes_on_and_the_rhythm_is_kept(story: Story) -> None:
    sell("graceful", RUB=990_00, grace_days=7)
    subscription = story.buy("graceful")
    story.agree()
    story.answer("insufficient_funds")
    for moment in (AHEAD, RENEWAL):
        story.travel(moment)
        story.run()
    assert story.status(subscription) == "past_due"
    story.answer("succeeds")
    story.travel(at("04-06 09:00"))
    story.run()
    assert (story.status(subscription), subscription.period_start, subscription.period_end) == ("active", RENEWAL, MAY)


def test_money_from_anywhere_ends_dunning(story: Story, agreed: Any) -> None:
    story.answer("insufficient_funds")
    story.travel(AHEAD)
    story.run()
    pay_in(story.customer, 990_00, at=story.now)
    story.later(minutes=1)
    story.run()
    assert (story.collection.status, story.events()) == ("covered", ["declined", "covered"])
    story.travel(at("04-10 12:00"))
    story.run()
    assert (len(story.attempts), story.status(agreed)) == (1, "active")


def test_a_stolen_card_is_charged_once(story: Story, agreed: Any) -> None:
    story.answer("stolen_card")
    story.travel(AHEAD)
    story.run()
    assert (story.card.refused_at, story.card.refused_code) == (AHEAD, "stolen_card")
    assert story.event("collection.declined")["decline"] == "hard"
    story.run_until(at("04-09 12:00"))
    assert len(story.attempts) == 1
    # The customer is reminded each time.
    assert story.events() == ["declined", *["not_tried"] * 4, "given_up"]
    assert story.collection.status == "given_up"


def test_a_new_card_is_charged_at_once(story: Story, agreed: Any) -> None:
    story.answer("stolen_card")
    story.travel(AHEAD)
    story.run()
    story.later(hours=1)
    other = _another_card(story.card)
    consents.agree_to_renewals(other, address=None, now=story.now)
    story.run()
    assert [(attempt.status, attempt.method) for attempt in story.attempts][1:] == [("confirmed", other)]
    assert (story.collection.status, story.balance) == ("collected", 990_00)


def _another_card(card: PaymentMethod) -> PaymentMethod:
    """Save a second card of the customer, which the sandbox keeps too."""
    kept = card.charges.model.objects.get(gateway_id__isnull=False, collection__isnull=True)
    session = SandboxSession.objects.get(session_id=kept.gateway_id)
    session.method.__class__.objects.filter(pk=session.method.pk).update(answer="succeeds")
    again = SandboxSession.objects.create(
        idempotency_key=new_id("pay"), amount=1, currency="RUB", description="", return_url="", cancel_url="",
        created_at=session.created_at, expires_at=session.expires_at, customer=session.customer,
    )  # fmt: skip
    method = session.method.__class__.objects.create(
        session=again, owner=session.customer, brand="Visa", last4="1881", expires_on=session.method.expires_on
    )
    return PaymentMethod.objects.create(
        customer=card.customer, gateway="sandbox", gateway_id=method.method_id, brand="Visa", last4="1881",
        expires_on=method.expires_on, created_at=card.created_at,
    )  # fmt: skip

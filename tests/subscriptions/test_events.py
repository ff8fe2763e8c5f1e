"""Events of a customer's choice include what was chosen."""

from typing import Any

import pytest

from events.models import Event
from subscriptions.models import Subscription
from tests.subscriptions.bank import at, do, hourly, settle

pytestmark = pytest.mark.django_db


def data_of(row: Subscription, kind: str) -> Any:
    return Event.objects.get(subject=row.public_id, type=f"subscription.{kind}").data


def test_a_created_event_has_the_plan_the_quantity_and_auto_renew(subscription):
    assert data_of(subscription, "created") == {
        "from": "pending", "to": "pending", "plan": "basic", "quantity": 1, "auto_renew": True,
    }  # fmt: skip
    assert data_of(subscription, "activated") == {"from": "pending", "to": "active"}


def test_an_auto_renew_event_has_the_new_setting(alice, subscription):
    do(alice, at(days=1), lambda book: book.set_auto_renew(subscription, False))
    assert data_of(subscription, "auto_renew_changed") == {"from": "active", "to": "active", "auto_renew": False}


def test_events_of_a_scheduled_change_have_the_new_plan(alice, subscription, better):
    do(alice, at(days=1), lambda book: book.change_plan(subscription, better, when="period_end"))
    assert data_of(subscription, "plan_change_scheduled") == {"from": "active", "to": "active", "plan": "better"}
    settle(alice, at(days=32))
    # The remaining 1010.00 cannot pay 1500.00: suspended under the new plan.
    assert data_of(subscription, "plan_changed") == {"from": "active", "to": "active", "plan": "better"}
    assert data_of(subscription, "suspended") == {"from": "active", "to": "suspended"}


def test_the_event_of_an_immediate_change_has_the_new_plan(alice, subscription):
    do(alice, at(days=1), lambda book: book.change_plan(subscription, hourly()))
    assert data_of(subscription, "plan_changed") == {"from": "active", "to": "active", "plan": "hourly"}

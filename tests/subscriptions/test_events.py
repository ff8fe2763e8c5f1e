"""What the event log says of a choice: not only that something changed, but to what."""

from typing import Any

import pytest

from events.models import Event
from subscriptions.models import Subscription
from tests.subscriptions.bank import at, do, hourly, settle

pytestmark = pytest.mark.django_db


def told(row: Subscription, kind: str) -> Any:
    return Event.objects.get(subject=row.public_id, type=f"subscription.{kind}").data


def test_a_new_subscription_is_told_with_its_plan_and_renewal(mine):
    assert told(mine, "created") == {"from": "pending", "to": "pending", "plan": "basic", "auto_renew": True}
    assert told(mine, "activated") == {"from": "pending", "to": "active"}


def test_a_renewal_switched_off_is_told_as_that(alice, mine):
    do(alice, at(days=1), lambda book: book.set_auto_renew(mine, False))
    assert told(mine, "auto_renew_changed") == {"from": "active", "to": "active", "auto_renew": False}


def test_a_planned_change_is_told_with_its_plan_and_so_is_the_change(alice, mine, better):
    do(alice, at(days=1), lambda book: book.change_plan(mine, better, when="period_end"))
    assert told(mine, "plan_change_scheduled") == {"from": "active", "to": "active", "plan": "better"}
    settle(alice, at(days=32))
    # 1010.00 left do not pay for 1500.00: suspended under the new plan.
    assert told(mine, "plan_changed") == {"from": "active", "to": "active", "plan": "better"}
    assert told(mine, "suspended") == {"from": "active", "to": "suspended"}


def test_a_change_at_once_is_told_with_its_plan(alice, mine):
    do(alice, at(days=1), lambda book: book.change_plan(mine, hourly()))
    assert told(mine, "plan_changed") == {"from": "active", "to": "active", "plan": "hourly"}

"""Mails are made of events: one for each customer, kind and cause."""

import pytest
from django.db import transaction

from accounts.models import User
from events import outbox
from events.mails import delivery, fan_out
from events.models import Mail
from tests.concurrency.sessions import at_once
from tests.events.mails.sample import NOON, at, happened, waiting
from tests.subscriptions.bank import people

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_mail_waits_for_each_event_of_a_kind(alice, mallory):
    first, second, other = happened(alice, "one"), happened(alice, "two"), happened(mallory, "one")
    outbox.record([(alice.pk, "nothing.of.ours", "x", NOON, {})])
    assert fan_out.run(now=at(minutes=1)) == 3
    rows = list(Mail.objects.order_by("pk").values_list("customer", "kind", "events", "state", "due_at", "park_at"))
    assert rows == [
        (owner.pk, "bill", [event], "waiting", at(minutes=1), at(days=3, minutes=1))
        for owner, event in ((alice, first), (alice, second), (mallory, other))
    ]
    assert fan_out.run(now=at(minutes=2)) == 0


def test_events_with_one_cause_make_one_mail(alice, mallory):
    with transaction.atomic():
        ids = [happened(alice, f"sub_{n}", "sample", cause="empty wallet") for n in range(30)]
        other = happened(mallory, "sub_m", "sample", cause="empty wallet")
    fan_out.run(now=NOON)
    assert list(Mail.objects.order_by("pk").values_list("customer", "events")) == [
        (alice.pk, ids),
        (mallory.pk, [other]),
    ]


def test_a_later_event_of_the_cause_is_told_in_the_mail_that_waits(alice):
    [mail] = waiting(alice, "sub_1", kind="sample", cause="c")
    [same] = waiting(alice, "sub_2", kind="sample", cause="c")
    assert same.pk == mail.pk
    assert len(same.events) == 2


def test_nothing_more_is_told_of_a_cause_that_was_sent(alice, post):
    waiting(alice, "sub_1", kind="sample", cause="c")
    delivery.run(now=NOON)
    assert waiting(alice, "sub_2", kind="sample", cause="c") == []
    delivery.run(now=at(hours=1))
    assert len(post.taken) == 1


def test_a_cause_that_had_nothing_to_tell_is_told_once_it_has(alice, post):
    waiting(alice, "sub_1", kind="sample", cause="c", over=True)
    delivery.run(now=NOON)
    assert list(Mail.objects.values_list("state", flat=True)) == ["skipped"]
    [mail] = waiting(alice, "sub_2", kind="sample", cause="c", now=at(minutes=40))
    assert (mail.state, mail.reason, mail.due_at, mail.park_at) == (
        "waiting", "", at(minutes=40), at(days=3, minutes=40),
    )  # fmt: skip
    delivery.run(now=at(hours=1))
    assert len(post.taken) == 1
    assert waiting(alice, "sub_3", kind="sample", cause="c") == []


def test_a_later_event_of_a_parked_cause_is_told_when_staff_send_it(alice, post):
    waiting(alice, "sub_1", kind="sample", cause="c")
    Mail.objects.update(state="parked", due_at=None, reason="550 No")
    [mail] = waiting(alice, "sub_2", kind="sample", cause="c", now=at(minutes=40))
    assert (mail.state, mail.reason, mail.due_at, len(mail.events)) == ("parked", "550 No", None, 2)


def test_a_cause_that_cannot_be_said_gives_the_event_a_mail_of_its_own(alice):
    broken = happened(alice, "sub_1", "sample")
    fine = happened(alice, "sub_2", "sample", cause="c")
    fan_out.run(now=NOON)
    assert list(Mail.objects.order_by("pk").values_list("events", "cause")) == [
        ([broken], f"event {broken}"),
        ([fine], "c"),
    ]


def test_several_at_once_make_one_mail_for_each_cause(alice):
    for number in range(60):
        happened(alice, f"sub_{number}", "sample", cause=str(number % 20))
    at_once([lambda: fan_out.run(now=NOON)] * 4)
    assert Mail.objects.count() == 20
    assert sorted(event for mail in Mail.objects.all() for event in mail.events) == sorted(
        event for (event,) in outbox_ids()
    )


def outbox_ids() -> list[tuple[int]]:
    """Return the ids of all events."""
    return list(User.objects.filter(events__isnull=False).values_list("events__id"))


def test_a_mail_is_made_only_if_the_event_is_committed(alice):
    with transaction.atomic():
        happened(alice, "sub_1")
        transaction.set_rollback(True)
    assert fan_out.run(now=NOON) == 0
    assert not Mail.objects.exists()


def test_a_flood_is_made_in_few_statements(db, django_assert_max_num_queries):
    customers = people(3000)
    outbox.record([(each.pk, "bill.happened", "sub_1", NOON, {}) for each in customers])
    # Three batches of a thousand, each about seven statements.
    with django_assert_max_num_queries(45):
        assert fan_out.run(now=NOON) == 3000
    assert Mail.objects.count() == 3000

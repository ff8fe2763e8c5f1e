"""Old mails that are closed are deleted; what is still to be sent, or waits for staff, is kept."""

from datetime import timedelta

import pytest

from core import clock, deletion
from events import tasks
from events.mails import delivery, fan_out, retention
from events.models import Mail
from tests.events.mails.sample import NOON, at, waiting

pytestmark = pytest.mark.django_db(transaction=True)
State = Mail.State
LATER = NOON + timedelta(days=400)
SECOND = timedelta(seconds=1)


def closed(customer, state: str, cause: str = "c") -> Mail:
    """Return a mail of noon of 1 March that is not to be sent any more."""
    sent_at = NOON if state == State.SENT else None
    return Mail.objects.create(
        customer=customer, kind="sample", cause=f"{cause} {state}", state=state, created_at=NOON, park_at=at(days=3),
        tried_at=sent_at, sent_at=sent_at,
    )  # fmt: skip


def test_closed_mails_are_kept_for_400_days(alice):
    for state in (State.SENT, State.SKIPPED, State.GIVEN_UP):
        closed(alice, state)
    assert retention.forget(now=LATER) == 0
    assert retention.forget(now=LATER + SECOND) == 3
    assert not Mail.objects.exists()


def test_a_mail_that_waits_or_is_parked_is_kept_for_ever(alice):
    [mail] = waiting(alice, "one")
    parked = closed(alice, State.PARKED)
    assert retention.forget(now=at(days=10_000)) == 0
    assert list(Mail.objects.order_by("pk")) == [mail, parked]


def test_what_staff_had_sent_again_counts_from_then(alice):
    mail = closed(alice, State.SENT)
    again = at(days=300)
    assert delivery.resend(mail, now=again)
    Mail.objects.update(state=State.SENT, sent_at=again, tried_at=again, due_at=None)
    assert retention.forget(now=LATER + SECOND) == 0
    assert retention.forget(now=again + timedelta(days=400) + SECOND) == 1


def test_the_days_are_a_setting_and_many_are_deleted_in_batches(alice, settings, monkeypatch):
    settings.MAIL_DAYS = 2
    monkeypatch.setattr(deletion, "BATCH", 2)
    for number in range(5):
        closed(alice, State.SENT, cause=str(number))
    assert retention.forget(now=at(days=2)) == 0
    assert retention.forget(now=at(days=2) + SECOND) == 5


def test_a_cause_that_was_told_long_ago_is_not_told_again(alice):
    """The event log is read once: deleting the row of a mail makes no new one."""
    waiting(alice, "one")
    delivery.run(now=NOON)
    assert retention.forget(now=LATER + SECOND) == 1
    assert fan_out.run(now=LATER + SECOND) == 0
    assert not Mail.objects.exists()


def test_the_daily_task_forgets(alice, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: LATER + SECOND)
    closed(alice, State.SENT)
    tasks.forget_mails()
    assert not Mail.objects.exists()

"""Mails are sent once, in each customer's order, whatever the mail server does, and never faster than allowed."""

from datetime import timedelta

import pytest
from django.db import connection

from events import outbox
from events.mails import delivery, fan_out, message
from events.mails.delivery import Sent
from events.models import Mail
from tests.concurrency.sessions import at_once
from tests.events.mails.post import Post, texts
from tests.events.mails.sample import NOON, at, waiting
from tests.subscriptions.bank import people

pytestmark = pytest.mark.django_db(transaction=True)
State = Mail.State


class Killed(BaseException):
    """The worker is gone, with no time to write anything."""


def test_what_waits_is_sent_in_order_over_one_connection(alice, post):
    waiting(alice, "one", "two", "three")
    assert delivery.run(now=NOON) == Sent(sent=3)
    assert texts() == ["one", "two", "three"]
    assert post.opened == 1
    mail = Mail.objects.first()
    assert mail is not None
    assert (mail.state, mail.sent_at, mail.address, mail.subject, mail.tries) == (
        "sent", NOON, "alice@example.com", "News for alice", 1,
    )  # fmt: skip
    assert delivery.run(now=at(hours=1)) == Sent()


def test_no_transaction_is_open_while_a_mail_is_sent(alice, post):
    seen = []
    post.before = staticmethod(lambda message: seen.append(connection.in_atomic_block))
    waiting(alice, "one")
    delivery.run(now=NOON)
    assert seen == [False]


def test_an_event_that_comes_while_a_mail_has_nothing_to_tell_is_told(alice, post, monkeypatch):
    of = message.of

    def meanwhile(mail, *, now):
        monkeypatch.setattr(message, "of", of)
        result = of(mail, now=now)
        waiting(alice, "two", kind="sample", cause="c")
        return result

    waiting(alice, "one", kind="sample", cause="c", over=True)
    monkeypatch.setattr(message, "of", meanwhile)
    assert delivery.run(now=NOON) == Sent(sent=1, failed=1)
    assert len(post.taken) == 1


def test_a_mail_without_events_is_not_sent_and_holds_up_nothing(alice, post):
    waiting(alice, "one")
    Mail.objects.update(events=[])
    waiting(alice, "two")
    assert delivery.run(now=NOON) == Sent(sent=1, skipped=1)
    assert texts() == ["two"]


def test_a_server_that_is_down_for_two_days_loses_nothing_and_keeps_the_order(alice, mallory, post):
    waiting(alice, "a1", "a2")
    waiting(mallory, "m1")
    post.is_down = True
    for hour in range(48):
        assert delivery.run(now=at(hours=hour)) == Sent()
        if hour == 24:
            waiting(alice, "a3", now=at(hours=24))
    # Each run tried to connect once, which is no try of a mail.
    assert post.opened == 48
    assert set(Mail.objects.values_list("state", "tries")) == {("waiting", 0)}
    assert "Connection refused" in Mail.objects.earliest("pk").reason
    post.is_down = False
    assert delivery.run(now=at(hours=48)) == Sent(sent=4)
    assert texts() == ["a1", "a2", "m1", "a3"]
    assert set(Mail.objects.values_list("state", "reason")) == {("sent", "")}


def test_without_a_server_mails_wait_and_are_parked_after_three_days(alice, settings):
    settings.MAIL_BACKEND = ""
    waiting(alice, "one")
    assert delivery.run(now=NOON) == Sent()
    assert delivery.run(now=at(days=3, seconds=-1)) == Sent()
    assert delivery.run(now=at(days=3)) == Sent(parked=1)
    mail = Mail.objects.get()
    assert (mail.state, mail.reason) == ("parked", "No mail server is set: EMAIL_URL is blank.")


def test_a_mail_that_fails_is_tried_later_and_later_then_parked(alice, post):
    waiting(alice, "one")
    post.refuses = {"alice@example.com": 451}
    now, waits = NOON, []
    while (mail := Mail.objects.get()).state == State.WAITING:
        assert mail.due_at is not None
        waits.append(mail.due_at - now)
        now = mail.due_at
        delivery.run(now=now)
    minute = timedelta(minutes=1)
    assert waits[:9] == [0 * minute, minute, 5 * minute, 15 * minute, 60 * minute, 180 * minute, *[360 * minute] * 3]
    # 4 h 21 min after the first tries, then every six hours until three days are over.
    assert now == at(hours=4 + 6 * 12, minutes=21)
    assert (mail.state, mail.reason) == ("parked", "451 No such user here")
    assert post.taken == []


def test_a_failing_mail_holds_up_the_later_ones_of_its_customer_only_until_it_is_parked(alice, mallory, post):
    waiting(alice, "a1", "a2")
    waiting(mallory, "m1")
    post.refuses = {"alice@example.com": 451}
    delivery.run(now=NOON)
    assert texts() == ["m1"]
    post.refuses = {}
    delivery.run(now=at(seconds=59))
    assert texts() == ["m1"]
    delivery.run(now=at(seconds=60))
    assert texts() == ["m1", "a1", "a2"]


def test_a_permanent_refusal_parks_at_once_and_the_next_mail_goes_on(alice, post):
    first, second = waiting(alice, "a1", "a2")
    post.refuses = {"alice@example.com": 550}
    assert delivery.run(now=NOON) == Sent(parked=2)
    first.refresh_from_db()
    second.refresh_from_db()
    assert [(mail.state, mail.reason, mail.tries) for mail in (first, second)] == [
        ("parked", "550 No such user here", 1)
    ] * 2


def test_a_server_that_breaks_off_is_left_alone_after_three_mails(post):
    for customer in people(10):
        waiting(customer, "one")
    post.breaks_off = True
    assert delivery.run(now=NOON) == Sent(failed=3)
    assert Mail.objects.filter(tries=0).count() == 7
    post.breaks_off = False
    assert delivery.run(now=at(seconds=10)) == Sent(sent=7)
    assert delivery.run(now=at(seconds=60)) == Sent(sent=3)


def test_a_broken_kind_does_not_stop_the_others(alice, post):
    for customer in people(5):
        waiting(customer, "broken", broken=True)
    waiting(alice, "a1")
    assert delivery.run(now=NOON) == Sent(sent=1, failed=5)
    assert texts() == ["a1"]
    assert set(Mail.objects.filter(tries=1, state="waiting").values_list("reason", flat=True)) == {
        "RuntimeError: the template is broken"
    }


def test_many_mailboxes_that_are_full_do_not_stop_the_others(alice, post):
    full = people(5)
    post.refuses = {customer.email: 452 for customer in full}
    for customer in full:
        waiting(customer, "one")
    waiting(alice, "a1")
    assert delivery.run(now=NOON) == Sent(sent=1, failed=5)


def test_nothing_is_sent_if_there_is_nothing_to_tell(alice, post):
    waiting(alice, "one", over=True)
    assert delivery.run(now=NOON) == Sent(skipped=1)
    mail = Mail.objects.get()
    assert (mail.state, mail.reason) == ("skipped", "There was nothing to tell any more.")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_that_dies_leaves_the_mail_to_another_with_the_same_message_id(alice, post, monkeypatch, moment):
    """At most twice: it died after the server took the mail, and before that was written down."""
    waiting(alice, "one", "two")

    def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if moment == "before":
            post.before = staticmethod(dies)
        else:
            patch.setattr(delivery, "_mark_sent", dies)
        with pytest.raises(Killed):
            delivery.run(now=NOON)
    post.before = staticmethod(lambda message: None)
    # The claim lasts five minutes, and nothing of this customer goes before.
    assert delivery.run(now=at(minutes=5, seconds=-1)) == Sent()
    assert delivery.run(now=at(minutes=5)) == Sent(sent=2)
    assert texts() == (["one", "two"] if moment == "before" else ["one", "one", "two"])
    ids = [message.extra_headers["Message-ID"] for message in post.taken]
    assert len(set(ids)) == 2
    assert Mail.objects.earliest("pk").public_id in ids[0]


def test_two_runs_at_once_send_each_mail_once_and_keep_the_order(post):
    customers = people(12)
    for customer in customers:
        waiting(customer, "1", "2", "3")
    results = at_once([lambda: delivery.run(now=NOON)] * 3)
    # A run that finds only claimed mails ends; what it left is sent by the next.
    rest = delivery.run(now=at(seconds=10))
    assert sum(result.sent for result in results) + rest.sent == 36
    for customer in customers:
        assert [str(m.body)[0] for m in post.taken if m.to == [customer.email]] == ["1", "2", "3"]


def test_a_flood_of_ten_thousand_is_paced(settings, post):
    settings.MAILS_PER_MINUTE = 40
    customers = people(10_000)
    outbox.record([(each.pk, "bill.happened", "sub_1", NOON, {}) for each in customers])
    assert fan_out.run(now=NOON) == 10_000
    # As autovacuum does soon. Until then PostgreSQL may plan for a handful of mails, and the second run waits too long.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE events_mail")
    results = at_once([lambda: delivery.run(now=NOON)] * 2)
    assert sum(result.sent for result in results) == 40
    assert delivery.run(now=at(seconds=50)).sent == 0
    assert delivery.run(now=at(seconds=61)).sent == 40
    assert Mail.objects.filter(state="waiting").count() == 9_920


def test_a_mail_of_the_log_in_waits_for_nothing(alice, post, settings):
    settings.MAILS_PER_MINUTE = 1
    waiting(alice, "one", "two")
    post.refuses = {"alice@example.com": 451}
    delivery.run(now=NOON)
    post.refuses = {}
    stored(alice)
    assert delivery.run(now=at(seconds=1)) == Sent(sent=1)
    assert texts() == ["Open this link"]


def stored(customer) -> Mail:
    """Return a mail of the log-in that waits."""
    return Mail.objects.create(
        customer=customer, kind=Mail.LOGIN, cause="login 1", is_urgent=True, address=customer.email, subject="Log in",
        text="Open this link", html="<p>Open this link</p>", created_at=NOON, due_at=NOON, park_at=at(days=1),
    )  # fmt: skip


def test_the_body_of_a_log_in_mail_is_wiped_once_it_is_sent(alice, post):
    mail = stored(alice)
    delivery.run(now=NOON)
    mail.refresh_from_db()
    assert (mail.state, mail.text, mail.html, mail.subject) == ("sent", "", "", "Log in")
    [message] = post.taken
    assert message.alternatives[0][0] == "<p>Open this link</p>"


def test_the_body_of_a_log_in_mail_that_is_too_late_is_wiped(alice):
    mail = stored(alice)
    assert delivery.run(now=at(days=1)) == Sent(parked=1)
    mail.refresh_from_db()
    assert (mail.state, mail.text, mail.html) == ("parked", "", "")
    assert not delivery.resend(mail, now=at(days=1))


def test_a_parked_mail_is_sent_again_by_staff(alice, post):
    [mail] = waiting(alice, "one")
    post.refuses = {"alice@example.com": 550}
    delivery.run(now=NOON)
    mail.refresh_from_db()
    post.refuses = {}
    assert delivery.resend(mail, now=at(days=4))
    assert delivery.run(now=at(days=4)) == Sent(sent=1)
    [message] = post.taken
    assert f"<{mail.public_id}.1@" in message.extra_headers["Message-ID"]


def test_a_mail_that_waits_is_given_up_by_staff(alice):
    [mail] = waiting(alice, "one")
    assert delivery.give_up(mail, reason="Given up by staff.")
    assert delivery.run(now=NOON) == Sent()
    mail.refresh_from_db()
    assert (mail.state, mail.reason) == ("given_up", "Given up by staff.")
    assert not delivery.give_up(mail, reason="x")


def test_the_server_gets_no_second_mail_while_the_first_is_on_its_way(alice, post):
    """Another worker begins while this one sends."""
    inner = []

    def meanwhile(message: object) -> None:
        Post.before = staticmethod(lambda each: None)
        inner.append(delivery.run(now=NOON))

    post.before = staticmethod(meanwhile)
    waiting(alice, "one", "two")
    assert delivery.run(now=NOON) == Sent(sent=2)
    assert inner == [Sent()]
    assert texts() == ["one", "two"]

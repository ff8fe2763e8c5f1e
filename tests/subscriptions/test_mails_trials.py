"""The mail before a free trial ends, in both languages, and the reminder that causes it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from accounts.models import User
from events.models import Event
from subscriptions import billing_run, orders, reminders
from subscriptions.models import Subscription
from tests.concurrency.sessions import at_once
from tests.letters import letter_of, lines, told
from tests.subscriptions.bank import NOON, at, do, hourly
from tests.subscriptions.shop import pay_in, sell

# A trial of 14 days from noon of 1 March, and three days before its end.
END, THREE_DAYS_BEFORE = datetime(2026, 3, 15, 12, tzinfo=UTC), datetime(2026, 3, 12, 12, tzinfo=UTC)


def trial(customer: User, *, days: int = 14) -> Subscription:
    """Start a trial of Team, which then costs 990.00 roubles a month."""
    price = sell("team", RUB=990_00, trial_days=days)["RUB"]
    row = orders.subscribe(customer, price, now=NOON)
    assert row.status == "trialing"
    return row


def reminded() -> list[int]:
    return [event.data["days"] for event in Event.objects.filter(type=reminders.TRIAL_EVENT).order_by("pk")]


def test_a_trial_whose_payment_lacks_money_in_english_and_russian(alice):
    row = trial(alice)
    pay_in(alice, 500_00, at=NOON)
    assert reminders.run_due(now=THREE_DAYS_BEFORE) == 1
    letter = told("trial_ends", now=THREE_DAYS_BEFORE)
    assert letter.subject == "Your free trial of Team ends on 15 March 2026"
    assert lines(letter) == [
        "Hello alice,",
        (
            "It ends on 15 March 2026, 12:00\u00a0UTC. On that day ₽990.00 is charged to your balance. "
            "You need ₽490.00 more. Top up to keep the subscription running."
        ),
        "Team: ₽990.00 a month",
        "Balance: ₽500.00",
        "Top up: http://127.0.0.1:8000/topup/?currency=RUB",
        "If you don't want to pay, cancel before that. You can use it until the trial ends, and nothing is charged:",
        f"Cancel plan: http://127.0.0.1:8000/account/subscriptions/{row.public_id}/cancel/",
    ]
    assert letter.stop_url
    User.objects.update(language="ru", time_zone="Europe/Moscow")
    letter = told("trial_ends", now=THREE_DAYS_BEFORE)
    assert letter.subject == "Пробный период «Team» закончится 15 марта 2026\u00a0г."
    assert lines(letter)[1:4] == [
        (
            "Он закончится 15 марта 2026\u00a0г., 15:00\u00a0MSK. В этот день с баланса спишется 990,00\u00a0₽. "
            "Не хватает 490,00\u00a0₽. Пополните баланс, чтобы подписка продолжала работать."
        ),
        "Team: 990,00\u00a0₽ в месяц",
        "Баланс: 500,00\u00a0₽",
    ]


def test_a_trial_whose_payment_is_on_the_balance(alice):
    row = trial(alice)
    pay_in(alice, 990_00, at=NOON)
    reminders.run_due(now=THREE_DAYS_BEFORE)
    text = lines(told("trial_ends", now=THREE_DAYS_BEFORE))
    assert text[1].endswith("Your balance is enough. You don't need to do anything.")
    assert f"See the subscription: http://127.0.0.1:8000/account/subscriptions/{row.public_id}/" in text


def test_a_trial_of_a_plan_that_is_charged_as_it_is_used(alice):
    price = hourly()
    type(price).objects.filter(pk=price.pk).update(trial_days=14)
    price.refresh_from_db()
    orders.subscribe(alice, price, now=NOON)
    assert reminders.run_due(now=THREE_DAYS_BEFORE) == 1
    assert lines(told("trial_ends", now=THREE_DAYS_BEFORE))[1] == (
        "It ends on 15 March 2026, 12:00\u00a0UTC. From then on ₽3.60 an hour is charged to your balance as you use "
        "it. Your balance is not enough. Top up to keep the subscription running."
    )


@pytest.mark.parametrize(
    ("days", "before", "recorded"),
    [
        (14, timedelta(days=3, seconds=1), []),
        (14, timedelta(days=3), [3]),
        # The scheduler was down: late, and still true. After the end nothing.
        (14, timedelta(seconds=1), [3]),
        (14, timedelta(0), []),
        (4, timedelta(days=3), [3]),
        # Of three days or less, a day before.
        (3, timedelta(days=1, seconds=1), []),
        (3, timedelta(days=1), [1]),
        (1, timedelta(hours=23), [1]),
    ],
)
def test_a_reminder_is_due_by_arithmetic_and_recorded_once(alice, days, before, recorded):
    trial(alice, days=days)
    for _ in range(2):
        reminders.run_due(now=NOON + timedelta(days=days) - before)
    assert reminded() == recorded


@pytest.mark.parametrize(
    "act",
    [
        lambda book, row: book.cancel(row),
        lambda book, row: book.cancel(row, when="now"),
        lambda book, row: book.change_plan(row, sell("free", RUB=0, trial_days=14)["RUB"]),
    ],
    ids=["cancelled", "cancelled now", "changed to a free plan"],
)
@pytest.mark.parametrize("is_recorded", [True, False])
def test_nothing_is_told_of_a_trial_that_no_payment_follows(alice, act, is_recorded):
    row = trial(alice)
    assert reminders.run_due(now=THREE_DAYS_BEFORE if is_recorded else at(days=1)) == is_recorded
    do(alice, THREE_DAYS_BEFORE, lambda book: act(book, row))
    if is_recorded:
        assert letter_of("trial_ends", now=THREE_DAYS_BEFORE) is None
    else:
        assert reminders.run_due(now=THREE_DAYS_BEFORE) == 0


def test_a_trial_is_followed_by_a_payment_also_without_renewals(alice):
    """R4 of the billing rules: without auto_renew one period is paid, which then ends."""
    row = trial(alice)
    do(alice, at(days=1), lambda book: book.set_auto_renew(row, False))
    assert reminders.run_due(now=THREE_DAYS_BEFORE) == 1
    assert letter_of("trial_ends", now=THREE_DAYS_BEFORE) is not None


def test_nothing_is_told_once_it_has_ended(alice):
    trial(alice)
    reminders.run_due(now=THREE_DAYS_BEFORE)
    billing_run.run_due(now=END)
    assert letter_of("trial_ends", now=END) is None


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_record_one_reminder(alice):
    trial(alice)
    at_once([lambda: reminders.run_due(now=THREE_DAYS_BEFORE)] * 4)
    assert reminded() == [3]


def test_the_trials_are_found_through_their_index(alice):
    trial(alice)
    with connection.cursor() as cursor:
        # What is near is found by itself, and no other index fits: only a sequential scan could be preferred.
        cursor.execute("SET LOCAL enable_seqscan = off")
        moments = [THREE_DAYS_BEFORE] * 3
        cursor.execute("EXPLAIN " + reminders.TRIALS_DUE, [*moments, reminders.TRIAL_EVENT, 10])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "trial_by_end" in plan

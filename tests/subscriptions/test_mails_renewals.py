"""The mails before and after a renewal, in both languages, and the reminders that cause the first."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from accounts.models import User
from events.mails import kinds, letters
from events.models import Event
from subscriptions import billing_run, books, orders, reminders
from subscriptions.models import Subscription
from tests.concurrency.sessions import at_once
from tests.letters import letter_of, lines, told, words
from tests.subscriptions.bank import NOON, at, do
from tests.subscriptions.shop import pay_in, sell

# A month after noon of 1 March, and three days before.
RENEWAL, THREE_DAYS_BEFORE = datetime(2026, 4, 1, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC)


def team(customer: User, paid: int, *, interval: str = "month", amount: int = 990_00) -> Subscription:
    """Subscribe to Team, with `paid` on the balance before."""
    pay_in(customer, paid, at=NOON)
    price = sell(f"team-{interval}", RUB=amount, interval=interval)["RUB"]
    price.plan.name, price.plan.name_ru = "Team", "Команда"
    price.plan.save()
    return orders.subscribe(customer, price, now=NOON)


def reminded() -> list[tuple[str, int]]:
    found = Event.objects.filter(type=reminders.EVENT).order_by("pk")
    return [(event.subject, event.data["days"]) for event in found]


def test_a_renewal_that_lacks_money_in_english(alice):
    row = team(alice, 1500_00)
    assert reminders.run_due(now=THREE_DAYS_BEFORE) == 1
    letter = told("renewal_ahead", now=THREE_DAYS_BEFORE)
    # 1500.00 less 990.00 leaves 510.00; 480.00 more are needed.
    assert letter.subject == "Team renews on 1 April 2026: ₽990.00"
    assert lines(letter) == [
        "Hello alice,",
        (
            "Team renews on 1 April 2026 for ₽990.00, from your balance. You need ₽480.00 more. Top up to keep the "
            "subscription running."
        ),
        "Team: ₽990.00",
        "Balance: ₽510.00",
        "You need: ₽480.00",
        "Top up: http://127.0.0.1:8000/topup/?currency=RUB",
        "If you don't want it to renew, cancel it before that day.",
    ]
    assert "Top up needed Team renews on 1 April 2026: ₽990.00 Hello alice," in words(letter)
    assert letter.stop_url
    assert reminded() == [(row.public_id, 3)]


def test_a_renewal_that_the_balance_pays_in_russian(alice):
    row = team(alice, 2000_00)
    User.objects.update(language="ru", time_zone="Europe/Moscow")
    reminders.run_due(now=THREE_DAYS_BEFORE)
    letter = told("renewal_ahead", now=THREE_DAYS_BEFORE)
    assert letter.subject == "«Команда» продлится 1 апреля 2026\u00a0г.: 990,00\u00a0₽"
    assert lines(letter) == [
        "Здравствуйте, alice!",
        (
            "«Команда» продлится 1 апреля 2026\u00a0г., с баланса спишется 990,00\u00a0₽. Денег на балансе достаточно, "
            "делать ничего не нужно."
        ),
        "Команда: 990,00\u00a0₽",
        "Баланс: 1\u00a0010,00\u00a0₽",
        f"Открыть подписку: http://127.0.0.1:8000/ru/account/subscriptions/{row.public_id}/",
        "Если продлевать не нужно, отмените подписку до этого дня.",
    ]


@pytest.mark.parametrize(
    ("interval", "moment", "days"),
    [
        ("month", THREE_DAYS_BEFORE - timedelta(seconds=1), []),
        ("month", THREE_DAYS_BEFORE, [3]),
        # The scheduler was down: late, and still true. After the renewal nothing.
        ("month", RENEWAL - timedelta(seconds=1), [3]),
        ("month", RENEWAL, []),
        ("year", datetime(2027, 1, 30, 11, 59, tzinfo=UTC), []),
        ("year", datetime(2027, 1, 30, 12, tzinfo=UTC), [30]),
        ("year", datetime(2027, 2, 22, 12, tzinfo=UTC), [7]),
        ("week", NOON + timedelta(days=6), []),
    ],
)
def test_a_reminder_is_due_by_arithmetic_and_only_the_tightest_is_recorded(alice, interval, moment, days):
    team(alice, 5000_00, interval=interval)
    for _ in range(2):
        reminders.run_due(now=moment)
    assert [given for _name, given in reminded()] == days


def test_an_annual_renewal_is_reminded_of_twice(alice):
    team(alice, 5000_00, interval="year")
    for moment in (
        datetime(2027, 1, 31, tzinfo=UTC),
        datetime(2027, 2, 23, tzinfo=UTC),
        datetime(2027, 2, 28, tzinfo=UTC),
    ):
        reminders.run_due(now=moment)
    assert [days for _name, days in reminded()] == [30, 7]
    # If the first one was not sent in time, the second one is told instead.
    first, second = Event.objects.filter(type=reminders.EVENT).order_by("pk")
    compose, late = kinds.get("renewal_ahead").compose, datetime(2027, 2, 23, tzinfo=UTC)
    assert compose([first], alice, late) is None
    assert compose([second], alice, late) is not None


@pytest.mark.parametrize(
    "act",
    [
        lambda book, row: book.cancel(row),
        lambda book, row: book.set_auto_renew(row, False),
        lambda book, row: book.pause(row),
        lambda book, row: book.cancel(row, when="now"),
    ],
)
@pytest.mark.parametrize("is_recorded", [True, False])
def test_nothing_is_told_of_a_renewal_that_will_not_be(alice, act, is_recorded):
    """Neither if it is cancelled before the reminder is due, nor if between that and the mail."""
    row = team(alice, 990_00)
    assert reminders.run_due(now=THREE_DAYS_BEFORE if is_recorded else at(days=1)) == is_recorded
    do(alice, THREE_DAYS_BEFORE, lambda book: act(book, row))
    if is_recorded:
        assert letter_of("renewal_ahead", now=THREE_DAYS_BEFORE) is None
    else:
        assert reminders.run_due(now=THREE_DAYS_BEFORE) == 0


def test_what_is_scheduled_is_what_renews(alice):
    row = team(alice, 990_00)
    pro = sell("pro", RUB=1990_00)["RUB"]
    do(alice, at(days=1), lambda book: book.change_plan(row, pro, when="period_end"))
    reminders.run_due(now=THREE_DAYS_BEFORE)
    assert told("renewal_ahead", now=THREE_DAYS_BEFORE).subject == "Pro renews on 1 April 2026: ₽1,990.00"


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_record_one_reminder(alice):
    team(alice, 990_00)
    at_once([lambda: reminders.run_due(now=THREE_DAYS_BEFORE)] * 4)
    assert [days for _name, days in reminded()] == [3]


def test_the_reminders_are_found_through_their_index(alice):
    team(alice, 990_00)
    with connection.cursor() as cursor:
        # What is near is found by itself, and no other index fits: only a sequential scan could be preferred.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + reminders.SQL, [THREE_DAYS_BEFORE, THREE_DAYS_BEFORE, reminders.EVENT, 10])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "charge_by_end" in plan


def test_a_low_balance_three_days_ahead_does_not_repeat_the_reminder(alice):
    team(alice, 990_00)
    billing_run.run_due(now=THREE_DAYS_BEFORE)
    assert letter_of("low_balance", now=THREE_DAYS_BEFORE) is None
    billing_run.run_due(now=RENEWAL - timedelta(days=1))
    assert told("low_balance", now=RENEWAL - timedelta(days=1)).subject == "Your balance runs out in 1 day"


def test_a_renewal_that_was_paid_in_english_and_russian(alice):
    row = team(alice, 2000_00)
    billing_run.run_due(now=RENEWAL)
    letter = told("renewed", now=RENEWAL)
    assert letter.subject == "Team renewed: ₽990.00"
    assert lines(letter) == [
        "Hello alice,",
        "₽990.00 was charged to your balance on 1 April 2026, 12:00\u00a0UTC.",
        "Team: ₽990.00",
        "Paid until: 1 May 2026",
        "Balance: ₽20.00",
        f"See the subscription: http://127.0.0.1:8000/account/subscriptions/{row.public_id}/",
    ]
    User.objects.update(language="ru")
    letter = told("renewed", now=RENEWAL)
    assert letter.subject == "«Команда» продлён: 990,00\u00a0₽"
    assert lines(letter)[1:4] == [
        "С баланса списано 990,00\u00a0₽: 1 апреля 2026\u00a0г., 12:00\u00a0UTC.",
        "Команда: 990,00\u00a0₽",
        "Оплачено до: 1 мая 2026\u00a0г.",
    ]


def test_a_renewal_and_the_receipt_of_its_money_are_one_mail(alice):
    team(alice, 990_00)
    pay_in(alice, 990_00, at=RENEWAL - timedelta(days=1))
    billing_run.run_due(now=RENEWAL)
    assert letter_of("renewed", now=RENEWAL) is None


def test_several_renewals_of_one_instant_are_one_mail(alice):
    pay_in(alice, 2000_00, at=NOON)
    price = sell("seat", RUB=10_00)["RUB"]
    with books.open(alice, "RUB", now=NOON) as book:
        for _ in range(12):
            book.subscribe(price)
    billing_run.run_due(now=RENEWAL)
    events = list(Event.objects.filter(type="subscription.renewed").select_related("customer"))
    kind = kinds.get("renewed")
    assert len({kind.cause(event) for event in events}) == 1
    letter = letters.compose(kind, events, alice, now=RENEWAL)
    assert letter is not None
    assert letter.subject == "12 subscriptions renewed: ₽120.00"
    assert lines(letter)[2:] == [
        *["Seat: ₽10.00"] * 10,
        "and 2 more",
        "Balance: ₽1,760.00",
        "See your account: http://127.0.0.1:8000/account/",
    ]


def test_only_long_intervals_are_told(alice):
    for interval in ("hour", "day", "week", "month"):
        pay_in(alice, 100_00, at=NOON)
        orders.subscribe(alice, sell(f"p-{interval}", RUB=10_00, interval=interval)["RUB"], now=NOON)
    billing_run.run_due(now=at(hours=1))
    rows = Subscription.objects.in_bulk(field_name="public_id")
    events = [Event(subject=name, type="subscription.renewed") for name in rows]
    chosen = kinds.get("renewed").choose(events)
    assert {rows[event.subject].price.interval for event in chosen} == {"week", "month"}

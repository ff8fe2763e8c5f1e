"""The mails about subscriptions and the balance, as they are read in both languages."""

import pytest

from accounts.models import User
from subscriptions import billing_run, orders
from tests.letters import letter_of, lines, told, words
from tests.subscriptions.bank import NOON, at, hourly
from tests.subscriptions.shop import pay_in


@pytest.fixture
def running_low(alice: User) -> User:
    """Alice's server costs 3.60 roubles an hour; her 270.00 last 75 hours. The 72-hour notice was due after three."""
    pay_in(alice, 270_00, at=NOON)
    orders.subscribe(alice, hourly(), now=NOON)
    billing_run.run_due(now=at(hours=3))
    return alice


def test_a_low_balance_in_english(running_low):
    letter = told("low_balance", now=at(hours=3))
    # 270.00 less three hours at 3.60, and less the kopeck of the ten seconds that begin now.
    assert letter.subject == "Your balance runs out in 3 days"
    assert lines(letter) == [
        "Hello alice, at this rate your balance runs out on 4 March 2026, 15:00\u00a0UTC. Then Hourly stops.",
        "Top up: http://127.0.0.1:8000/topup/?currency=RUB",
        "Balance: ₽259.19",
        "Hourly: ₽3.60 an hour",
    ]
    text = words(letter)
    assert "Balance ₽259.19 Your balance runs out in 3 days Hello alice, at this rate" in text
    assert "Top up Balance ₽259.19 Hourly ₽3.60 an hour" in text


def test_a_low_balance_in_russian(running_low):
    User.objects.update(language="ru", time_zone="Europe/Moscow")
    letter = told("low_balance", now=at(hours=3, minutes=30))
    assert letter.subject == "Баланса хватит ещё на 2 дня 23 ч"
    rate = "Здравствуйте, alice! При таком расходе баланс закончится 4 марта 2026\u00a0г., 18:00\u00a0MSK."
    assert lines(letter) == [
        f"{rate} Тогда «Hourly» остановится.",
        "Пополнить: http://127.0.0.1:8000/ru/topup/?currency=RUB",
        "Баланс: 257,39\u00a0₽",
        "Hourly: 3,60\u00a0₽ в час",
    ]


def test_a_reminder_can_be_stopped_by_a_link(running_low):
    letter = told("low_balance", now=at(hours=3))
    assert letter.stop_url.startswith("http://127.0.0.1:8000/mails/stop/")
    assert letter.stop_url in letter.text
    assert letter.stop_url in letter.html


def test_nothing_is_told_if_money_came_in(running_low):
    pay_in(running_low, 100_00, at=at(hours=4))
    assert letter_of("low_balance", now=at(hours=4)) is None


def test_a_notice_is_not_told_when_the_next_one_is_due(running_low):
    # The balance lasts until 75 hours after noon, so the 24-hour notice is due after 51.
    assert letter_of("low_balance", now=at(hours=50, minutes=59)) is not None
    assert letter_of("low_balance", now=at(hours=51)) is None

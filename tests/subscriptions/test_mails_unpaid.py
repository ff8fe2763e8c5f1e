"""The mails about what is not paid: overdue, suspended, active again, and debts. In both languages."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from events.mails import kinds, letters
from events.models import Event, Mail
from subscriptions import billing_run, books, closure, orders
from subscriptions.models import Subscription
from tests.letters import letter_of, lines, status_of, told, words
from tests.subscriptions.bank import NOON, at, do, hourly
from tests.subscriptions.shop import pay_in, sell

RENEWAL = datetime(2026, 4, 1, 12, tzinfo=UTC)


def monthly(customer: User, *, grace_days: int = 0) -> Subscription:
    """Basic for 990.00 a month; nothing is left for the next one."""
    pay_in(customer, 990_00, at=NOON)
    return orders.subscribe(customer, sell("basic", RUB=990_00, grace_days=grace_days)["RUB"], now=NOON)


def test_a_renewal_that_is_not_paid_in_english_and_russian(alice):
    row = monthly(alice, grace_days=5)
    billing_run.run_due(now=RENEWAL)
    letter = told("overdue", now=RENEWAL)
    assert letter.subject == "Basic is not renewed: pay by 6 April 2026"
    text = "There was not enough money on your balance to renew. You can use it until 6 April 2026, 12:00\u00a0UTC."
    assert lines(letter) == [
        "Hello alice,",
        f"{text} These days are charged. Pay before then and nothing stops.",
        "Basic: ₽990.00 a month",
        "To pay: ₽990.00",
        "Balance: ₽0.00",
        f"Pay now: http://127.0.0.1:8000/account/subscriptions/{row.public_id}/pay/",
    ]
    assert not letter.stop_url
    User.objects.update(language="ru", time_zone="Europe/Moscow")
    letter = told("overdue", now=RENEWAL)
    assert letter.subject == "«Basic» не продлён: оплатите до 6 апреля 2026\u00a0г."
    assert lines(letter)[1].startswith("На балансе не хватило денег на продление. Пользоваться можно до 6 апреля")
    assert "15:00\u00a0MSK, эти дни оплачиваются." in lines(letter)[1]
    pay_in(alice, 990_00, at=RENEWAL + timedelta(days=1))
    assert letter_of("overdue", now=RENEWAL + timedelta(days=1)) is None


def test_a_suspended_subscription_in_english_and_russian(alice):
    row = monthly(alice)
    billing_run.run_due(now=RENEWAL)
    letter = told("suspended", now=RENEWAL)
    assert letter.subject == "Basic is suspended"
    assert lines(letter) == [
        "Hello alice,",
        "There was not enough money on your balance. Top up and it continues at once. We keep it until 1 May 2026.",
        "Basic: ₽990.00 a month",
        "To pay: ₽990.00",
        "Balance: ₽0.00",
        f"Top up: http://127.0.0.1:8000/account/subscriptions/{row.public_id}/pay/",
    ]
    assert "Suspended Basic is suspended Hello alice, There was not" in words(letter)
    User.objects.update(language="ru")
    letter = told("suspended", now=RENEWAL)
    assert letter.subject == "«Basic»: подписка приостановлена"
    text = "На балансе не хватило денег. Пополните баланс, и подписка сразу продолжится."
    assert lines(letter)[1:4] == [
        f"{text} Мы сохраним её до 1 мая 2026\u00a0г.",
        "Basic: 990,00\u00a0₽ в месяц",
        "К оплате: 990,00\u00a0₽",
    ]
    pay_in(alice, 990_00, at=RENEWAL + timedelta(days=1))
    assert letter_of("suspended", now=RENEWAL + timedelta(days=1)) is None


def test_thirty_meters_of_one_empty_wallet_are_one_mail(alice):
    pay_in(alice, 300_00, at=NOON)
    # From 3.60 to 6.50 an hour: each stops at the end of its own last kopeck, within ten seconds.
    prices = [hourly(3_60 + 10 * number, f"server-{number:02}") for number in range(30)]
    with books.open(alice, "RUB", now=NOON) as book:
        for price in prices:
            book.subscribe(price)
    billing_run.run_due(now=at(hours=1))
    for minute in (58, 59, 60, 61):
        billing_run.run_due(now=at(hours=1, minutes=minute))
    stopped = list(Event.objects.filter(type="subscription.suspended").order_by("pk"))
    assert len(stopped) == 30
    assert len({event.effective_at for event in stopped}) > 1
    kind = kinds.get("suspended")
    # 151.50 roubles an hour: 300.00 last 1 h 58 min 48 s, all within one hour of the clock.
    assert {kind.cause(event) for event in stopped} == {"2026-03-01T13+00:00"}
    # The mail that goes out when only the first has stopped tells of all.
    letter = letters.compose(kind, stopped[:1], alice, now=stopped[0].effective_at)
    assert letter is not None
    assert letter.subject == "30 subscriptions are suspended"
    text = lines(letter)
    assert text[2:13] == [*(f"Server-{number:02}: ₽{(360 + 10 * number) / 100:.2f} an hour" for number in range(10)),
                          "and 20 more"]  # fmt: skip
    assert text[-1] == "Top up: http://127.0.0.1:8000/topup/?currency=RUB"
    User.objects.update(language="ru")
    alice.refresh_from_db()
    letter = letters.compose(kind, stopped, alice, now=at(hours=2))
    assert letter is not None
    assert letter.subject == "Приостановлены 30 подписок"
    assert "и ещё 20" in lines(letter)


def test_a_stop_that_another_mail_told_just_before_is_not_told_again(alice):
    monthly(alice)
    billing_run.run_due(now=RENEWAL)
    mail = {"customer": alice, "kind": "suspended", "state": "sent", "created_at": RENEWAL, "park_at": RENEWAL}
    Mail.objects.create(cause="an hour before", sent_at=RENEWAL - timedelta(minutes=59), **mail)
    assert letter_of("suspended", now=RENEWAL) is None


def test_the_owner_of_a_closed_account_is_not_asked_to_pay(alice):
    monthly(alice)
    billing_run.run_due(now=RENEWAL)
    closure.close(alice, now=RENEWAL)
    assert letter_of("suspended", now=RENEWAL) is None


def test_what_runs_again_in_english_and_russian(alice):
    row = monthly(alice)
    billing_run.run_due(now=RENEWAL)
    pay_in(alice, 1000_00, at=RENEWAL + timedelta(days=1))
    letter = told("resumed", now=RENEWAL + timedelta(days=1))
    assert letter.subject == "Basic is active again"
    assert lines(letter) == [
        "Hello alice,",
        "There is money on your balance again. The subscription has been active since 2 April 2026, 12:00\u00a0UTC.",
        "Basic: ₽990.00 a month",
        "Balance: ₽10.00",
        f"See the subscription: http://127.0.0.1:8000/account/subscriptions/{row.public_id}/",
    ]
    User.objects.update(language="ru")
    letter = told("resumed", now=RENEWAL + timedelta(days=1))
    assert letter.subject == "«Basic» снова работает"
    assert (
        lines(letter)[1] == "На балансе снова есть деньги. Подписка работает с 2 апреля 2026\u00a0г., 12:00\u00a0UTC."
    )


def test_a_first_start_is_no_news(alice):
    monthly(alice)
    events = list(Event.objects.filter(type="subscription.activated"))
    assert len(events) == 1
    assert kinds.get("resumed").choose(events) == []


def test_a_debt_that_arises_and_is_paid_in_english_and_russian(alice):
    monthly(alice, grace_days=10)
    billing_run.run_due(now=RENEWAL)
    # Ten of April's thirty days at 990.00 are 330.00. The mail about the suspension tells of the debt.
    ended = RENEWAL + timedelta(days=10)
    billing_run.run_due(now=ended)
    assert Event.objects.get(type="wallet.debt_arose").data == {"amount": {"value": "330.00", "currency": "RUB"}}
    assert letter_of("debt", now=ended) is None
    assert "Debt: ₽330.00" in lines(told("suspended", now=ended))
    # Without that mail beside it:
    event = Event.objects.get(type="wallet.debt_arose")
    event.transaction_number += 1
    letter = letters.compose(kinds.get("debt"), [event], alice, now=ended)
    assert letter is not None
    assert (letter.subject, status_of(letter)) == ("You owe ₽330.00", "Debt")
    assert lines(letter)[1] == "This is for days of use that were not paid for. Your next top-up pays this debt first."
    pay_in(alice, 400_00, at=ended + timedelta(days=1))
    letter = told("debt", now=ended + timedelta(days=1))
    assert (letter.subject, status_of(letter)) == ("Your debt of ₽330.00 is paid", "Paid")
    assert lines(letter)[1:3] == ["You owe nothing now.", "Balance: ₽70.00"]
    User.objects.update(language="ru")
    assert told("debt", now=ended + timedelta(days=1)).subject == "Долг погашен: 330,00\u00a0₽"


def test_a_part_of_a_debt_is_no_news(alice):
    monthly(alice, grace_days=10)
    billing_run.run_due(now=RENEWAL + timedelta(days=10))
    pay_in(alice, 100_00, at=RENEWAL + timedelta(days=11))
    assert not Event.objects.filter(type="wallet.debt_paid").exists()


@pytest.mark.parametrize("name", ["<b>Eve</b>", 'a"b\r\nBcc: eve@example.com', "Ы" * 60])
def test_a_hostile_or_long_name_breaks_nothing(alice, name):
    row = monthly(alice)
    row.price.plan.name = name
    row.price.plan.save()
    User.objects.filter(pk=alice.pk).update(first_name="<i>x</i>")
    billing_run.run_due(now=RENEWAL)
    letter = told("suspended", now=RENEWAL)
    assert "<b>" not in letter.html
    assert "<i>" not in letter.html
    assert "\n" not in letter.subject
    assert letter.subject.endswith(" is suspended")
    do(alice, RENEWAL, lambda book: book.cancel(row))
    assert "<b>" not in told("cancelled", now=RENEWAL).html

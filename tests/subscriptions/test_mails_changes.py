"""The mails about changes, cancellations and orders that are closed, in both languages."""

from datetime import UTC, datetime, timedelta

from accounts.models import User
from events.mails import kinds
from events.models import Event
from subscriptions import billing_run, orders
from subscriptions.models import Subscription
from tests.letters import letter_of, lines, told
from tests.subscriptions.bank import NOON, at, do
from tests.subscriptions.shop import pay_in, sell

END = datetime(2026, 4, 1, 12, tzinfo=UTC)


def basic(customer: User, paid: int = 5000_00) -> Subscription:
    pay_in(customer, paid, at=NOON)
    return orders.subscribe(customer, sell("basic", RUB=990_00)["RUB"], now=NOON)


def test_a_change_now_in_english_and_russian(alice):
    row = basic(alice)
    pro = sell("pro", RUB=1990_00)["RUB"]
    # After one of 31 days 30/31 of 990.00 come back: 958.06, rounded down.
    do(alice, at(days=1), lambda book: book.change_plan(row, pro, quantity=2))
    changed = Event.objects.filter(type__in=("subscription.plan_changed", "subscription.quantity_changed"))
    assert {kinds.get("plan_changed").cause(event) for event in changed} == {
        f"changed {row.public_id} {changed[0].transaction_number}"
    }
    letter = told("plan_changed", now=at(days=1))
    assert letter.subject == "Your plan is now Pro × 2"
    assert lines(letter) == [
        "Hello alice,",
        "The change took effect on 2 March 2026, 12:00\u00a0UTC.",
        "Pro × 2: ₽3,980.00 a month",
        "Charged: ₽3,980.00",
        "Refund for unused time: ₽958.06",
        "Paid until: 2 April 2026",
        "Balance: ₽988.06",
        f"See the subscription: http://127.0.0.1:8000/account/subscriptions/{row.public_id}/",
    ]
    User.objects.update(language="ru")
    letter = told("plan_changed", now=at(days=1))
    assert letter.subject == "Теперь у вас «Pro × 2»"
    assert lines(letter)[1] == "Изменение вступило в силу: 2 марта 2026\u00a0г., 12:00\u00a0UTC."
    do(alice, at(days=2), lambda book: book.cancel(row, when="now"))
    assert letter_of("plan_changed", now=at(days=2)) is None


def test_a_change_of_the_quantity_alone(alice):
    row = basic(alice)
    # Two more for 30 of the 31 days: 1980.00 x 30 / 31, rounded up.
    do(alice, at(days=1), lambda book: book.change_quantity(row, 3))
    letter = told("plan_changed", now=at(days=1))
    assert letter.subject == "Your plan is now Basic × 3"
    assert lines(letter)[2:4] == ["Basic × 3: ₽2,970.00 a month", "Charged: ₽1,916.13"]


def test_a_scheduled_change_in_english_and_russian(alice):
    row = basic(alice)
    pro = sell("pro", RUB=1990_00)["RUB"]
    do(alice, at(days=1), lambda book: book.change_plan(row, pro, when="period_end"))
    letter = told("plan_changed", now=at(days=1))
    assert letter.subject == "Basic changes to Pro on 1 April 2026"
    assert lines(letter) == [
        "Hello alice,",
        "Until then everything stays as it is. You can still undo the change.",
        "Now: Basic, ₽990.00 a month",
        "From 1 April 2026: Pro, ₽1,990.00 a month",
        "Balance: ₽4,010.00",
        f"See the subscription: http://127.0.0.1:8000/account/subscriptions/{row.public_id}/",
    ]
    User.objects.update(language="ru")
    assert told("plan_changed", now=at(days=1)).subject == "1 апреля 2026\u00a0г. «Basic» сменится на «Pro»"
    do(alice, at(days=2), lambda book: book.keep_plan(row))
    assert letter_of("plan_changed", now=at(days=2)) is None


def test_a_quantity_that_changes_with_a_renewal_is_told_by_the_renewal(alice):
    row = basic(alice)
    do(alice, at(days=1), lambda book: book.change_quantity(row, 2, when="period_end"))
    assert told("plan_changed", now=at(days=1)).subject == "Basic changes to Basic × 2 on 1 April 2026"
    billing_run.run_due(now=END)
    assert letter_of("plan_changed", now=END) is None
    assert "Basic × 2: ₽1,980.00" in lines(told("renewed", now=END))


def test_a_cancellation_at_the_end_in_english_and_russian(alice):
    row = basic(alice)
    do(alice, at(days=1), lambda book: book.cancel(row))
    letter = told("cancelled", now=at(days=1))
    assert letter.subject == "Basic is cancelled and ends on 1 April 2026"
    assert lines(letter) == [
        "Hello alice,",
        "You can use Basic until 1 April 2026, 12:00\u00a0UTC. It will not renew, and you will not be charged again.",
        f"Keep my plan: http://127.0.0.1:8000/account/subscriptions/{row.public_id}/",
    ]
    User.objects.update(language="ru")
    letter = told("cancelled", now=at(days=1))
    assert letter.subject == "«Basic»: подписка отменена, работает до 1 апреля 2026\u00a0г."
    assert lines(letter)[1].startswith("Тарифом «Basic» можно пользоваться до 1 апреля 2026\u00a0г., 12:00\u00a0UTC.")
    # On the day itself nothing is new.
    billing_run.run_due(now=END)
    assert letter_of("cancelled", now=END) is None


def test_a_cancellation_that_was_undone_is_not_told(alice):
    row = basic(alice)
    do(alice, at(days=1), lambda book: book.cancel(row), lambda book: book.undo_cancel(row))
    assert letter_of("cancelled", now=at(days=1)) is None


def test_a_cancellation_now_in_english_and_russian(alice):
    row = basic(alice, paid=990_00)
    do(alice, at(days=1), lambda book: book.cancel(row), lambda book: book.cancel(row, when="now", refund_unused=True))
    letter = told("cancelled", now=at(days=1))
    assert letter.subject == "Basic is cancelled"
    assert lines(letter) == [
        "Hello alice,",
        "It has ended, and you will not be charged again. ₽958.06 for unused time is back on your balance.",
        "Ended: 2 March 2026, 12:00\u00a0UTC",
        "Refund for unused time: ₽958.06",
        "Balance: ₽958.06",
        "See plans: http://127.0.0.1:8000/pricing/",
    ]
    User.objects.update(language="ru")
    letter = told("cancelled", now=at(days=1))
    assert letter.subject == "«Basic»: подписка отменена"
    assert "За неиспользованное время на баланс вернулось 958,06\u00a0₽." in lines(letter)[1]


def test_what_ends_by_itself_in_english_and_russian(alice):
    row = basic(alice, paid=990_00)
    do(alice, at(days=1), lambda book: book.set_auto_renew(row, False))
    billing_run.run_due(now=END)
    letter = told("ended", now=END)
    assert letter.subject == "Basic has ended"
    assert lines(letter)[1] == "Automatic renewal was switched off. You can subscribe again at any time."
    User.objects.update(language="ru")
    assert told("ended", now=END).subject == "«Basic»: подписка закончилась"


def test_what_was_suspended_for_too_long_has_ended(alice):
    basic(alice, paid=990_00)
    billing_run.run_due(now=END)
    over = END + timedelta(days=30)
    billing_run.run_due(now=over)
    assert lines(told("ended", now=over))[1] == (
        "No payment came while it was suspended. You can subscribe again at any time."
    )


def test_an_order_that_was_not_paid_in_english_and_russian(alice):
    price = sell("basic", RUB=990_00)["RUB"]
    do(alice, NOON, lambda book: book.subscribe(price, is_checkout=True))
    billing_run.run_due(now=at(days=14))
    letter = told("order_given_up", now=at(days=14))
    assert letter.subject == "Your order of Basic is closed: not paid"
    assert lines(letter) == [
        "Hello alice,",
        "We received no payment, and nothing was charged. You can order again at any time.",
        "Order: Basic: 1 March 2026",
        "See plans: http://127.0.0.1:8000/pricing/",
    ]
    assert kinds.get("ended").choose(list(Event.objects.filter(type="subscription.expired"))) == []
    User.objects.update(language="ru")
    assert told("order_given_up", now=at(days=14)).subject == "Заказ «Basic» закрыт: не оплачен"


def test_an_order_that_the_customer_drops_needs_no_mail(alice):
    price = sell("basic", RUB=990_00)["RUB"]
    do(alice, NOON, lambda book: book.cancel(book.subscribe(price, is_checkout=True)))
    dropped = list(Event.objects.filter(type="subscription.cancelled"))
    assert len(dropped) == 1
    assert kinds.get("cancelled").choose(dropped) == []

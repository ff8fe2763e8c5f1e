"""A refused operation saves nothing, and a repeated key changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection

import ledger
from accounts.models import User
from ledger.models import Transaction
from subscriptions import books, refusals
from subscriptions.books import OpenBook
from subscriptions.models import Price, Subscription
from subscriptions.storage.movements import AlreadyPosted
from tests.subscriptions.bank import NOON, at, balance, basic, broken_rules, do, hourly, settle
from tests.subscriptions.picture import picture
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db
CLEARING = "gateway_clearing:sandbox"


@pytest.fixture
def subscription(alice: User) -> Subscription:
    """An active subscription, paid for a month at noon, with 10.00 left in the wallet."""
    pay_in(alice, 1000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        return book.subscribe(basic())


def refused(user: User, act: Callable[[OpenBook], Any], *, currency: str = "RUB") -> refusals.Refused:
    """Do `act` a day later; assert that it is refused and that nothing is saved; return the refusal."""
    before = picture(user)
    with pytest.raises(refusals.Refused) as error, books.open(user, currency, now=at(days=1)) as book:
        act(book)
    assert picture(user) == before
    return error.value


def cancel_now(user: User, subscription: Subscription) -> None:
    with books.open(user, "RUB", now=NOON) as book:
        book.cancel(subscription, when="now")


OPERATIONS: dict[str, Callable[[OpenBook, Subscription], Any]] = {
    "cancel": lambda book, row: book.cancel(row),
    "pause": lambda book, row: book.pause(row),
    "resume": lambda book, row: book.resume(row),
    "undo_cancel": lambda book, row: book.undo_cancel(row),
    "set_auto_renew": lambda book, row: book.set_auto_renew(row, False),
    "change_plan": lambda book, row: book.change_plan(row, row.price),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_on_a_final_subscription_is_refused(alice, subscription, operation):
    cancel_now(alice, subscription)
    assert refused(alice, lambda book: OPERATIONS[operation](book, subscription)).code == "subscription_is_final"


def test_pause_and_resume_are_refused_in_the_wrong_status(alice, subscription):
    assert refused(alice, lambda book: book.resume(subscription)).code == "subscription_is_not_paused"
    with books.open(alice, "RUB", now=NOON) as book:
        book.pause(subscription)
    assert refused(alice, lambda book: book.pause(subscription)).code == "subscription_is_not_active"
    assert (
        refused(alice, lambda book: book.change_plan(subscription, subscription.price)).code == "subscription_is_paused"
    )


def test_undo_without_a_cancel_request_is_refused(alice, subscription):
    assert refused(alice, lambda book: book.undo_cancel(subscription)).code == "no_cancel_to_undo"


def test_an_unfunded_plan_change_is_refused(alice, subscription):
    # 10.00 and at most 990.00 of unused time are less than 5000.00.
    other = sell("other", RUB=5000_00)["RUB"]
    error = refused(alice, lambda book: book.change_plan(subscription, other))
    assert (error.code, "Nothing was changed" in error.detail) == ("insufficient_funds", True)


def test_a_withdrawal_above_the_balance_is_refused(alice, subscription):
    error = refused(alice, lambda book: book.withdraw(10_01, key="out", to=CLEARING))
    assert error.code == "insufficient_funds"


@pytest.mark.parametrize("amount", [0, -1, 10**12 + 1])
def test_amounts_out_of_range_are_refused(alice, subscription, amount):
    for act in (
        lambda book: book.top_up(amount, key="in", source=CLEARING),
        lambda book: book.withdraw(amount, key="out", to=CLEARING),
    ):
        assert refused(alice, act).code == "amount_out_of_range"


@pytest.mark.parametrize(
    ("quantity", "periods", "param"),
    [(0, 1, "quantity"), (-1, 1, "quantity"), (1_000_001, 1, "quantity"), (1, 0, "periods"), (1, 1001, "periods"),
     (1_000_000, 100, "quantity"), (1, 121, "periods")],
)  # fmt: skip
def test_quantities_and_periods_out_of_range_are_refused(alice, quantity, periods, param):
    price = basic()
    error = refused(alice, lambda book: book.subscribe(price, quantity=quantity, periods=periods))
    assert (error.code, error.param) == ("out_of_range", param)


def test_a_price_in_another_currency_is_refused(alice, subscription):
    euro = sell("basic", EUR=9_90)["EUR"]
    assert refused(alice, lambda book: book.subscribe(euro)).code == "currency_mismatch"
    assert refused(alice, lambda book: book.change_plan(subscription, euro)).code == "currency_mismatch"


def test_another_customers_subscription_is_an_error(alice, mallory, subscription):
    before = picture()
    with pytest.raises(ValueError, match="another book"), books.open(mallory, "RUB", now=NOON) as book:
        book.cancel(subscription, when="now", refund_unused=True)
    # Opening the book created Mallory's wallet, which was rolled back too.
    assert picture() == before


def test_a_refusal_undoes_earlier_operations_in_the_same_book(alice, subscription):
    def act(book: OpenBook) -> None:
        book.top_up(500_00, key="in", source=CLEARING)
        book.subscribe(hourly())
        book.pause(subscription)
        book.withdraw(10_000_00, key="out", to=CLEARING)

    assert refused(alice, act).code == "insufficient_funds"
    assert Price.objects.filter(plan__code="hourly").count() == 0


def test_an_exception_in_an_open_book_saves_nothing(alice, subscription):
    before = picture(alice)
    with pytest.raises(ZeroDivisionError):
        do(alice, at(days=40), lambda book: book.top_up(500_00, key="in", source=CLEARING), lambda _: 1 // 0)
    assert picture(alice) == before


def test_a_key_posted_before_changes_nothing(alice, subscription):
    with books.open(alice, "RUB", now=NOON) as book:
        book.top_up(500_00, key="payment:1", source=CLEARING)
    before = picture(alice)
    for _ in range(2):
        with pytest.raises(AlreadyPosted, match="payment:1"):
            do(
                alice, at(days=40),
                lambda book: book.top_up(500_00, key="payment:1", source=CLEARING),
                lambda book: book.subscribe(hourly()),
            )  # fmt: skip
    assert picture(alice) == before


def test_a_key_used_twice_in_one_book_changes_nothing(alice, subscription):
    before = picture(alice)
    with pytest.raises(AlreadyPosted):
        do(alice, NOON, *[lambda book: book.top_up(500_00, key="payment:1", source=CLEARING)] * 2)
    assert picture(alice) == before


def test_a_key_reused_with_other_content_is_an_error(alice, mallory, subscription):
    with books.open(alice, "RUB", now=NOON) as book:
        book.top_up(500_00, key="payment:1", source=CLEARING)
    before = picture()
    with pytest.raises(ledger.KeyReused), books.open(alice, "RUB", now=NOON) as book:
        book.top_up(501_00, key="payment:1", source=CLEARING)
    with pytest.raises(ledger.KeyReused), books.open(mallory, "RUB", now=NOON) as book:
        book.top_up(500_00, key="payment:1", source=CLEARING)
    assert picture() == before


def test_a_constraint_violation_on_exit_rolls_back_everything(alice, subscription):
    """A row blocks the next charge: the renewal, its transaction and its events are rolled back."""
    blocker = subscription.charges.get()
    blocker.pk, blocker.transaction_id, blocker.amount = None, None, 0
    blocker.period_start, blocker.period_end = blocker.period_end, blocker.period_end + (at(days=31) - NOON)
    blocker.save(force_insert=True)
    pay_in(alice, 2000_00, at=NOON)
    before = picture(alice)
    with pytest.raises(IntegrityError, match="one_charge_per_subscription_and_start"):
        settle(alice, at(days=35))
    assert picture(alice) == before
    assert (Transaction.objects.filter(reason="charge").count(), balance(alice)) == (1, 2010_00)


def test_a_refusal_leaves_the_connection_usable(alice, subscription):
    refused(alice, lambda book: book.resume(subscription))
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert broken_rules() == []


def test_a_book_has_room_for_a_number_of_subscriptions(alice, subscription, settings):
    settings.MAX_SUBSCRIPTIONS = 2
    price = subscription.price
    with books.open(alice, "RUB", now=NOON) as book:
        second = book.subscribe(price)
    assert refused(alice, lambda book: book.subscribe(price)).code == "too_many_subscriptions"
    # One that has ended takes no room.
    with books.open(alice, "RUB", now=NOON) as book:
        book.cancel(second)
        book.subscribe(price)

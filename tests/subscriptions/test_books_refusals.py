"""What the rules refuse is refused whole: not a row is written, and what a caller may send again changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection

import ledger
from accounts.models import User
from ledger.models import Transaction
from subscriptions import books
from subscriptions.books import OpenBook
from subscriptions.models import Price, Subscription
from subscriptions.storage.write import AlreadyPosted
from tests.subscriptions.bank import NOON, at, balance, basic, broken_rules, do, hourly, settle
from tests.subscriptions.picture import picture
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db
CLEARING = "gateway_clearing:sandbox"


@pytest.fixture
def mine(alice: User) -> Subscription:
    """Active for a month that was paid at noon; 10.00 left."""
    pay_in(alice, 1000_00, at=NOON)
    with books.open(alice, "RUB", now=NOON) as book:
        return book.subscribe(basic())


def refused(user: User, ask: Callable[[OpenBook], Any], *, currency: str = "RUB") -> books.Refused:
    """Ask for something a day later; assert that it is refused and that nothing at all was written."""
    before = picture(user)
    with pytest.raises(books.Refused) as error, books.open(user, currency, now=at(days=1)) as book:
        ask(book)
    assert picture(user) == before
    return error.value


def gone(user: User, subscription: Subscription) -> None:
    with books.open(user, "RUB", now=NOON) as book:
        book.cancel(subscription, when="now")


ASKED: dict[str, Callable[[OpenBook, Subscription], Any]] = {
    "cancel": lambda book, row: book.cancel(row),
    "pause": lambda book, row: book.pause(row),
    "resume": lambda book, row: book.resume(row),
    "undo_cancel": lambda book, row: book.undo_cancel(row),
    "set_auto_renew": lambda book, row: book.set_auto_renew(row, False),
    "change_plan": lambda book, row: book.change_plan(row, row.price),
}


@pytest.mark.parametrize("asked", ASKED)
def test_nothing_can_be_asked_of_a_final_subscription(alice, mine, asked):
    gone(alice, mine)
    assert refused(alice, lambda book: ASKED[asked](book, mine)).code == "subscription_is_final"


def test_what_is_not_paused_is_not_resumed_and_what_is_paused_only_that(alice, mine):
    assert refused(alice, lambda book: book.resume(mine)).code == "subscription_is_not_paused"
    with books.open(alice, "RUB", now=NOON) as book:
        book.pause(mine)
    assert refused(alice, lambda book: book.pause(mine)).code == "subscription_is_not_active"
    assert refused(alice, lambda book: book.change_plan(mine, mine.price)).code == "subscription_is_paused"


def test_a_cancel_nobody_asked_for_is_not_undone(alice, mine):
    assert refused(alice, lambda book: book.undo_cancel(mine)).code == "no_cancel_to_undo"


def test_a_change_the_wallet_cannot_pay_leaves_the_old_plan_as_it_was(alice, mine):
    # 10.00 and at most 990.00 of unused time do not make 5000.00.
    other = sell("other", RUB=5000_00)["RUB"]
    error = refused(alice, lambda book: book.change_plan(mine, other))
    assert (error.code, "Nothing was changed" in error.detail) == ("insufficient_funds", True)


def test_more_than_there_is_is_not_withdrawn(alice, mine):
    error = refused(alice, lambda book: book.withdraw(10_01, key="out", to=CLEARING))
    assert error.code == "insufficient_funds"


@pytest.mark.parametrize("amount", [0, -1, 10**12 + 1])
def test_an_amount_of_nothing_less_or_too_much_is_refused(alice, mine, amount):
    for ask in (
        lambda book: book.top_up(amount, key="in", source=CLEARING),
        lambda book: book.withdraw(amount, key="out", to=CLEARING),
    ):
        assert refused(alice, ask).code == "amount_out_of_range"


@pytest.mark.parametrize(
    ("quantity", "periods", "param"),
    [(0, 1, "quantity"), (-1, 1, "quantity"), (1_000_001, 1, "quantity"), (1, 0, "periods"), (1, 1001, "periods"),
     (1_000_000, 1000, "quantity")],
)  # fmt: skip
def test_quantities_beyond_reason_are_refused_by_name(alice, quantity, periods, param):
    price = basic()
    error = refused(alice, lambda book: book.subscribe(price, quantity=quantity, periods=periods))
    assert (error.code, error.param) == ("out_of_range", param)


def test_a_price_in_another_currency_is_refused(alice, mine):
    euro = sell("basic", EUR=9_90)["EUR"]
    assert refused(alice, lambda book: book.subscribe(euro)).code == "currency_mismatch"
    assert refused(alice, lambda book: book.change_plan(mine, euro)).code == "currency_mismatch"


def test_a_subscription_of_somebody_else_is_no_request_at_all(alice, mallory, mine):
    before = picture()
    with pytest.raises(ValueError, match="another book"), books.open(mallory, "RUB", now=NOON) as book:
        book.cancel(mine, when="now", refund_unused=True)
    # Her book was opened, which made her wallet; it was given up with the rest.
    assert picture() == before


def test_what_was_done_before_a_refusal_in_the_same_book_is_undone_too(alice, mine):
    def ask(book: OpenBook) -> None:
        book.top_up(500_00, key="in", source=CLEARING)
        book.subscribe(hourly())
        book.pause(mine)
        book.withdraw(10_000_00, key="out", to=CLEARING)

    assert refused(alice, ask).code == "insufficient_funds"
    assert Price.objects.filter(plan__code="hourly").count() == 0


def test_an_error_of_ours_in_an_open_book_writes_nothing(alice, mine):
    before = picture(alice)
    with pytest.raises(ZeroDivisionError):
        do(alice, at(days=40), lambda book: book.top_up(500_00, key="in", source=CLEARING), lambda _: 1 // 0)
    assert picture(alice) == before


def test_a_cause_that_was_posted_before_changes_nothing(alice, mine):
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


def test_a_cause_twice_in_one_book_changes_nothing(alice, mine):
    before = picture(alice)
    with pytest.raises(AlreadyPosted):
        do(alice, NOON, *[lambda book: book.top_up(500_00, key="payment:1", source=CLEARING)] * 2)
    assert picture(alice) == before


def test_a_cause_with_other_content_is_an_error_and_changes_nothing(alice, mallory, mine):
    with books.open(alice, "RUB", now=NOON) as book:
        book.top_up(500_00, key="payment:1", source=CLEARING)
    before = picture()
    with pytest.raises(ledger.KeyReused), books.open(alice, "RUB", now=NOON) as book:
        book.top_up(501_00, key="payment:1", source=CLEARING)
    with pytest.raises(ledger.KeyReused), books.open(mallory, "RUB", now=NOON) as book:
        book.top_up(500_00, key="payment:1", source=CLEARING)
    assert picture() == before


def test_a_rule_of_the_database_broken_at_the_end_undoes_the_whole(alice, mine):
    """A row that stands in the way of the next charge: the renewal, its money and its events all go back."""
    blocker = mine.charges.get()
    blocker.pk, blocker.transaction_id, blocker.amount = None, None, 0
    blocker.period_start, blocker.period_end = blocker.period_end, blocker.period_end + (at(days=31) - NOON)
    blocker.save(force_insert=True)
    pay_in(alice, 2000_00, at=NOON)
    before = picture(alice)
    with pytest.raises(IntegrityError, match="one_charge_per_subscription_and_start"):
        settle(alice, at(days=35))
    assert picture(alice) == before
    assert (Transaction.objects.filter(reason="charge").count(), balance(alice)) == (1, 2010_00)


def test_nothing_of_a_refusal_is_left_on_the_connection(alice, mine):
    refused(alice, lambda book: book.resume(mine))
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert broken_rules() == []

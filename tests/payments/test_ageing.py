"""Ageing of gateway clearing, worked out by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import ledger
from accounts.models import User
from ledger import wallets
from ledger.money import Money
from payments import ageing

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
CLEARING = "gateway_clearing:sandbox"


class Book:
    """Posts movements of a clearing account, dated by their age in days."""

    def __init__(self, customer: User, currency: str = "EUR", clearing: str = CLEARING) -> None:
        self.wallet = wallets.wallet_id_of(customer.pk, currency)
        self.currency, self.clearing = currency, clearing

    def post(self, key: str, debit: Any, credit: Any, amount: int, reason: str, days: float) -> None:
        at = NOW - timedelta(days=days)
        ledger.post([ledger.Entry(key, debit, credit, amount, self.currency, reason, at)])

    def payment(self, name: str, amount: int, *, days: float) -> None:
        self.post(f"payment:{name}", self.clearing, self.wallet, amount, "top_up", days)

    def payout(self, amount: int, *, days: float) -> None:
        self.post(f"payout:{amount}:{days}", "bank", self.clearing, amount, "payout", days)


@pytest.fixture
def book(alice: User) -> Book:
    return Book(alice)


def only() -> ageing.Ageing:
    [account] = ageing.ageing(now=NOW)
    return account


def named(account: ageing.Ageing) -> list[tuple[str, int]]:
    return [(movement.name, movement.money.amount) for movement in account.oldest]


def test_without_payments_there_is_nothing():
    assert ageing.ageing(now=NOW) == []


def test_what_is_paid_out_is_settled_the_oldest_first(book: Book):
    # 100.00, 40.00, 30.00, 20.00 and 10.00 came in; 120.00 was paid out yesterday. That settles the 100.00 and half of
    # the 40.00, so 20.00 of it is open, and all of the three younger ones: 80.00.
    for name, amount, days in (("a", 100_00, 40), ("b", 40_00, 31), ("c", 30_00, 30), ("d", 20_00, 7), ("e", 10_00, 2)):
        book.payment(name, amount, days=days)
    book.payout(120_00, days=1)
    account = only()
    assert (account.gateway, account.balance) == ("sandbox", Money(80_00, "EUR"))
    assert account.amounts == (10_00, 20_00, 30_00, 20_00)
    assert named(account) == [("b", 20_00), ("c", 30_00), ("d", 20_00), ("e", 10_00)]
    assert account.oldest[0].at == NOW - timedelta(days=31)


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(0, 0), (2.99, 0), (3, 1), (7.99, 1), (8, 2), (30.99, 2), (31, 3), (-0.5, 0)],
)
def test_whole_days_choose_the_bucket(book: Book, days: float, bucket: int):
    book.payment("a", 1, days=days)
    assert only().amounts.index(1) == bucket


def test_an_account_that_comes_back_to_zero_has_nothing_open(book: Book):
    book.payment("a", 100_00, days=10)
    book.post("fee:a", "gateway_fees", CLEARING, 2_90, "fee", 10)
    book.payout(97_10, days=9)
    assert only() == ageing.Ageing("sandbox", "EUR", (ageing.Bucket(),) * 4)


def test_a_refund_that_came_back_is_owed_again(book: Book):
    # 100.00 in, 60.00 refunded, 40.00 paid out; then the refund fails: 60.00 are open, since yesterday.
    book.payment("a", 100_00, days=10)
    book.post("refund:ref_1", book.wallet, CLEARING, 60_00, "refund", 9)
    book.payout(40_00, days=8)
    book.post("refund:ref_1:returned", CLEARING, book.wallet, 60_00, "refund", 1)
    account = only()
    assert (account.amounts, named(account)) == ((60_00, 0, 0, 0), [("refund:ref_1:returned", 60_00)])


def test_what_was_paid_out_too_much_is_below_zero(book: Book):
    # 100.00 in; 50.00, then 70.00 paid out: of the second one 20.00 are not covered.
    book.payment("a", 100_00, days=20)
    book.payout(50_00, days=12)
    book.payout(70_00, days=4)
    account = only()
    assert (account.balance.amount, account.amounts) == (-20_00, (0, -20_00, 0, 0))
    assert named(account) == [("payout:7000:4", -20_00)]


def test_each_gateway_and_currency_stands_alone(alice: User, mallory: User):
    Book(alice).payment("a", 1_00, days=1)
    Book(alice, "RUB").payment("b", 2_00, days=1)
    Book(mallory, clearing="gateway_clearing:card").payment("c", 3_00, days=1)
    assert [(account.gateway, str(account.balance)) for account in ageing.ageing(now=NOW)] == [
        ("card", "3.00 EUR"), ("sandbox", "1.00 EUR"), ("sandbox", "2.00 RUB"),
    ]  # fmt: skip


def test_only_the_five_oldest_are_named(book: Book):
    for number in range(7):
        book.payment(f"p{number}", 1, days=10 - number)
    assert named(only()) == [(f"p{number}", 1) for number in range(5)]


def test_the_oldest_of_each_bucket_are_listed_with_what_they_were(book: Book, monkeypatch: pytest.MonkeyPatch):
    # Of the oldest payment 60.00 is paid out; 40.00 is left of its 100.00.
    monkeypatch.setattr(ageing, "LISTED", 2)
    book.payment("a", 100_00, days=9)
    for number in range(3):
        book.payment(f"p{number}", 1_00, days=2 - number / 10)
    book.payout(60_00, days=0)
    young, _, old, _ = only().buckets
    assert [(each.name, each.whole.amount, each.money.amount) for each in old.listed] == [("a", 100_00, 40_00)]
    assert ledger.models.Transaction.objects.get(pk=old.listed[0].transaction_id).key == "payment:a"
    assert (young.amount, young.count, [each.name for each in young.listed]) == (3_00, 3, ["p0", "p1"])

"""A run posts what follows from the wallets it has locked; if that is not so, the book is parked and nothing moves."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

import ledger
from accounts.models import User
from subscriptions import billing_run
from subscriptions.engine.calendar import to_micros
from subscriptions.engine.settlement import settle
from subscriptions.models import Charge, Subscription
from subscriptions.storage import read, write
from tests.subscriptions.bank import HOUR, basic, broken_rules
from tests.subscriptions.due_books import APRIL, clock_of, due_in_april
from tests.subscriptions.picture import lines, picture
from tests.subscriptions.shop import wallet

pytestmark = pytest.mark.django_db


def test_a_run_locks_each_wallet_once_and_looks_up_no_key():
    due_in_april(3, basic())
    with CaptureQueriesContext(connection) as caught:
        assert billing_run.run_due(now=APRIL).books == 3
    statements = [query["sql"] for query in caught.captured_queries]
    # Also the claims that find nothing more.
    assert sum("FOR NO KEY UPDATE" in sql and "SKIP LOCKED" not in sql for sql in statements) == 0
    assert sum("ledger_transaction" in sql for sql in statements) == 1
    assert broken_rules() == []


@pytest.mark.parametrize("part", [1, 2, 5])
def test_a_batch_in_parts_writes_what_it_writes_at_once(monkeypatch, part):
    customers = due_in_april(5, basic())
    monkeypatch.setattr(billing_run, "PART", part)
    with CaptureQueriesContext(connection) as caught:
        assert billing_run.run_due(now=APRIL) == billing_run.Run(books=5, charges=5)
    # Each part is posted by itself, and the terms and accounts that all need are looked up once.
    statements = [query["sql"] for query in caught.captured_queries]
    assert sum("INSERT INTO ledger_transaction" in sql for sql in statements) == -(-5 // part)
    assert sum("FROM subscriptions_price WHERE id" in sql for sql in statements) == 1
    assert broken_rules() == []
    for charge in Charge.objects.filter(period_start=APRIL):
        assert charge.transaction is not None
        assert (charge.transaction.customer_id, charge.transaction.amount) == (charge.customer_id, charge.amount)
    assert Charge.objects.filter(period_start=APRIL, customer__in=customers).count() == 5


def test_an_error_of_one_part_is_that_of_one_book(monkeypatch):
    customers = due_in_april(5, basic())
    twice = customers[1]
    row = Subscription.objects.get(customer=twice)
    key = f"charge:{row.pk}:{to_micros(APRIL)}:{row.entry_count}"
    ledger.post([ledger.Entry(key, wallet(twice, "RUB").pk, "revenue", 1, "RUB", "charge", APRIL)])
    monkeypatch.setattr(billing_run, "PART", 2)
    assert billing_run.run_due(now=APRIL + HOUR) == billing_run.Run(books=4, charges=4, parked=1)
    assert clock_of(twice).parked_at is not None


@transaction.atomic
def settle_believing(customers: list[User], more: int) -> None:
    """Settle the books as a run does, with `more` in the last one than its wallet holds."""
    loaded = read.lock([wallet(user, "RUB").pk for user in customers])
    loaded[-1].book.balance += more
    for item in loaded:
        settle(item.book, to_micros(APRIL))
    write.write(loaded)


@pytest.mark.parametrize("more", [-1, 1])
def test_a_balance_that_is_not_the_wallets_own_writes_nothing(more):
    customers = due_in_april(2, basic())
    before = picture(*customers)
    with pytest.raises(IntegrityError, match="lock the wallet, then post"):
        settle_believing(customers, more)
    assert picture(*customers) == before


def test_a_renewal_posted_before_parks_the_book_and_the_others_go_on():
    customers = due_in_april(3, basic())
    twice = customers[1]
    row = Subscription.objects.get(customer=twice)
    key = f"charge:{row.pk}:{to_micros(APRIL)}:{row.entry_count}"
    ledger.post([ledger.Entry(key, wallet(twice, "RUB").pk, "revenue", 1, "RUB", "charge", APRIL)])
    before = lines(twice)
    assert billing_run.run_due(now=APRIL + HOUR) == billing_run.Run(books=2, charges=2, parked=1)
    assert clock_of(twice).parked_reason.startswith("KeyReused")
    assert lines(twice) == before
    assert Subscription.objects.get(customer=twice).period_end == APRIL

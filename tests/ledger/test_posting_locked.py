"""`post_locked` trusts nobody: what does not follow from the locked wallets is refused, and nothing is written."""

from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

import ledger
from ledger import wallets
from ledger.models import Transaction
from tests.ledger.conftest import CLEARING, NOON, balance_of, entry

pytestmark = pytest.mark.django_db
# NOON in microseconds since 1970.
AT = 1_772_366_400_000_000


@pytest.fixture
def revenue() -> int:
    return ledger.system_accounts({("revenue", "EUR")})["revenue", "EUR"]


@pytest.fixture
def line(alice, wallet, top_up, revenue):
    """Return a function that returns a charge of a wallet which holds 100 cents; any field can be replaced."""
    top_up(wallet, 100)

    def charge(key: str = "charge:1", amount: int = 60, after: int = 40, **more) -> ledger.LockedEntry:
        charged = ledger.LockedEntry(
            key, wallet, revenue, amount, "EUR", "charge", AT, "", None, None, None, wallet, after, alice.pk
        )
        return charged._replace(**more)

    return charge


@contextmanager
def refused(error, match):
    """Expect this error, and that nothing was written."""
    before = list(Transaction.objects.values())
    with pytest.raises(error, match=match), transaction.atomic():
        yield
    assert list(Transaction.objects.values()) == before


def test_a_locked_entry_becomes_the_same_row_as_an_entry(alice, mallory, wallet, top_up, line, revenue):
    other = wallets.wallet_id_of(mallory.pk, "EUR")
    top_up(other, 100)
    [posted] = ledger.post([entry("charge:2", other, "revenue", 60, reason="charge")])
    [id_] = ledger.post_locked([line()])()
    assert posted.id is not None
    ours, theirs = (Transaction.objects.get(pk=pk) for pk in (id_, posted.id))
    for name in ("credit", "amount", "currency", "reason", "effective_at", "description", "group", "balance_after"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert (ours.key, ours.debit_id, ours.wallet_id) == ("charge:1", wallet, wallet)
    assert (ours.customer_id, ours.effective_at) == (alice.pk, NOON)


def test_many_are_posted_in_order_in_one_statement(alice, wallet, line, revenue, django_assert_num_queries):
    lines = [line(f"charge:{n}", 1, 99 - n, effective_at=AT + n) for n in range(50)]
    refund = line("refund", 50, 100, debit=revenue, credit=wallet, reason="unused_refund", effective_at=AT + 50)
    with django_assert_num_queries(1):
        ids = ledger.post_locked([*lines, tuple(refund)])()
    assert ids == sorted(ids)
    assert list(Transaction.objects.filter(pk__in=ids).order_by("id").values_list("key", "balance_after")) == [
        (one.key, one.balance_after) for one in [*lines, refund]
    ]
    assert (balance_of(wallet), balance_of("revenue")) == (100, 0)


def test_the_part_that_the_wallet_cannot_pay_is_posted_from_the_debt(alice, wallet, debt, line, revenue):
    group = uuid4()
    paid = line("paid", 100, 0, group=group)
    owed = line("owed", 30, debit=debt, group=group, wallet=None, balance_after=None)
    ledger.post_locked([paid, owed])()
    assert (balance_of(wallet), balance_of(debt), balance_of("revenue")) == (0, -30, 130)
    assert set(Transaction.objects.filter(group=group).values_list("key", flat=True)) == {"paid", "owed"}


def test_nothing_to_post_runs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert ledger.post_locked([])() == []


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        # The wallet holds 100. A reader who saw 90 has missed a transaction.
        ({"balance_after": 30}, "lock the wallet"),
        ({"amount": 101, "balance_after": -1}, "transaction_shows_the_wallet_after_it"),
        ({"effective_at": AT - 1}, "lock the wallet"),
        ({"currency": "RUB"}, "lock the wallet"),
        ({"amount": 0, "balance_after": 100}, "transaction_moves_more_than_zero"),
        ({"credit": -1}, "transactions name"),
        ({"wallet": None, "balance_after": None}, "transactions name"),
    ],
)
def test_what_does_not_follow_from_the_wallet_is_refused(line, fields, rule):
    with refused(IntegrityError, rule):
        ledger.post_locked([line(**fields)])()


def test_another_customer_is_refused(line, mallory):
    with refused(IntegrityError, "lock the wallet"):
        ledger.post_locked([line(customer=mallory.pk)])()


def test_one_bad_entry_refuses_the_batch(line):
    with refused(IntegrityError, "lock the wallet"):
        ledger.post_locked([line("charge:1", 10, 90), line("charge:2", 10, 81)])()


def test_a_cause_posted_before_is_refused(line):
    ledger.post_locked([line()])()
    with refused(ledger.KeyReused, "charge:1"):
        ledger.post_locked([line(after=0, amount=40)])()


def test_a_cause_twice_in_one_batch_is_refused(line):
    with refused(ledger.KeyReused, "charge:1"):
        ledger.post_locked([line("charge:1", 10, 90), line("charge:1", 10, 80)])()


@pytest.mark.django_db(transaction=True)
def test_no_wallet_is_locked_outside_a_transaction(line):
    charge = line()
    with pytest.raises(transaction.TransactionManagementError, match="no wallet is locked"):
        ledger.post_locked([charge])


def test_system_accounts_are_opened_on_first_use():
    names = {("revenue", "EUR"), (CLEARING, "EUR"), ("revenue", "USD")}
    first = ledger.system_accounts(names)
    assert first.keys() == names
    assert len(set(first.values())) == 3
    assert ledger.system_accounts(names) == first
    with pytest.raises(ledger.UnknownAccount):
        ledger.system_accounts({("pocket", "EUR")})

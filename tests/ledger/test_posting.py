from datetime import datetime, timedelta
from uuid import uuid4

import pytest

import ledger
from ledger import wallets
from ledger.models import Account, Transaction
from ledger.posting import post
from tests.ledger.conftest import CLEARING, NOON, balance_of, entry

pytestmark = pytest.mark.django_db
POSTED, EXISTS, INSUFFICIENT = ledger.Outcome.POSTED, ledger.Outcome.EXISTS, ledger.Outcome.INSUFFICIENT


def outcomes(*entries):
    return [posted.outcome for posted in ledger.post(entries)]


def test_an_empty_batch_does_nothing():
    assert ledger.post([]) == []


def test_an_entry_becomes_one_row_with_all_its_fields(alice, staff, wallet):
    [posted] = ledger.post(
        [entry("adj:1", "adjustments", wallet, 500, description='5 € for "waiting" \\', author=staff.pk)]
    )
    row = Transaction.objects.get()
    assert posted == (POSTED, row.pk, 500)
    assert (row.key, row.amount, row.currency, row.reason) == ("adj:1", 500, "EUR", "adjustment")
    assert (row.debit.code, row.credit_id, row.wallet_id, row.customer_id) == ("adjustments", wallet, wallet, alice.pk)
    assert (row.description, row.author_id, row.balance_after) == ('5 € for "waiting" \\', staff.pk, 500)
    assert row.effective_at == NOON


def test_entries_are_decided_in_order(wallet):
    assert outcomes(
        entry("1", wallet, "revenue", 10),  # nothing there yet
        entry("2", CLEARING, wallet, 100),
        entry("3", wallet, "revenue", 70),
        entry("4", wallet, "revenue", 40),  # 30 left
        entry("5", wallet, "revenue", 30),
    ) == [INSUFFICIENT, POSTED, POSTED, INSUFFICIENT, POSTED]
    assert balance_of(wallet) == 0
    assert balance_of("revenue") == 100
    assert list(Transaction.objects.order_by("id").values_list("key", "balance_after")) == [
        ("2", 100),
        ("3", 30),
        ("5", 0),
    ]


def test_the_same_cause_posts_once(wallet, top_up):
    top_up(wallet, 100)
    first = ledger.post([entry("charge:1", wallet, "revenue", 60)])[0]
    again = ledger.post([entry("charge:1", wallet, "revenue", 60)])[0]
    assert again == (EXISTS, first.id, 40)
    assert balance_of(wallet) == 40


def test_a_cause_repeated_in_one_batch_posts_once(wallet, top_up):
    top_up(wallet, 100)
    first, second = ledger.post([entry("charge:1", wallet, "revenue", 60)] * 2)
    assert (first.outcome, second.outcome) == (POSTED, EXISTS)
    assert first.id == second.id
    assert balance_of(wallet) == 40


def test_a_cause_tried_again_later_finds_the_first_transaction(wallet, top_up):
    """A caller that does not know whether it committed tries again, with a later date and another description."""
    top_up(wallet, 100)
    ledger.post([entry("charge:1", wallet, "revenue", 60)])
    later = entry("charge:1", wallet, "revenue", 60, effective_at=NOON + timedelta(hours=1), description="again")
    assert outcomes(later) == [EXISTS]


@pytest.mark.parametrize(
    "other",
    [{"amount": 61}, {"reason": "charge"}, {"debit": "promotions", "credit": "revenue"}, {"credit": "adjustments"}],
)
def test_a_key_with_different_content_is_an_error(wallet, top_up, other):
    top_up(wallet, 100)
    ledger.post([entry("charge:1", wallet, "revenue", 60)])
    with pytest.raises(ledger.KeyReused, match="charge:1"):
        ledger.post([entry("charge:1", **{"debit": wallet, "credit": "revenue", "amount": 60} | other)])
    with pytest.raises(ledger.KeyReused, match="charge:2"):
        ledger.post(
            [
                entry("charge:2", wallet, "revenue", 5),
                entry("charge:2", **{"debit": wallet, "credit": "revenue", "amount": 5} | other),
            ]
        )
    assert balance_of(wallet) == 40


def test_an_insufficient_entry_may_be_posted_later(wallet, top_up):
    charge = entry("charge:1", wallet, "revenue", 60)
    assert outcomes(charge) == [INSUFFICIENT]
    top_up(wallet, 60)
    assert outcomes(charge) == [POSTED]


def test_a_group_is_posted_whole_or_not_at_all_even_with_other_entries_between(alice, mallory, wallet):
    hers = wallets.wallet_id_of(mallory.pk, "EUR")
    failing, fitting = uuid4(), uuid4()
    assert outcomes(
        entry("in:1", CLEARING, wallet, 100),
        entry("in:2", CLEARING, hers, 100),
        entry("f:1", wallet, "revenue", 80, group=failing),
        entry("s:1", hers, "revenue", 50, group=fitting),
        entry("alone", wallet, "revenue", 90),  # fits only because f:1 is undone
        entry("f:2", hers, "revenue", 60, group=failing),  # 50 left: the whole group fails
        entry("s:2", hers, "revenue", 50, group=fitting),
    ) == [POSTED, POSTED, INSUFFICIENT, POSTED, POSTED, INSUFFICIENT, POSTED]
    assert (balance_of(wallet), balance_of(hers)) == (10, 0)


def test_credits_of_a_failed_group_are_not_available_to_later_entries(wallet):
    group = uuid4()
    assert outcomes(
        entry("g:1", "promotions", wallet, 100, group=group),
        entry("spends", wallet, "revenue", 30),
        entry("g:2", wallet, "revenue", 500, group=group),
        entry("g:1", "promotions", wallet, 100),
    ) == [INSUFFICIENT, INSUFFICIENT, INSUFFICIENT, POSTED]


def test_a_posted_group_exists_as_a_whole(wallet):
    def batch():
        group = uuid4()
        return [entry("g:1", CLEARING, wallet, 100, group=group), entry("g:2", wallet, "revenue", 30, group=group)]

    assert outcomes(*batch()) == [POSTED, POSTED]
    assert outcomes(*batch()) == [EXISTS, EXISTS]
    with pytest.raises(ledger.KeyReused, match="g:3"):
        ledger.post(
            [
                *batch(),
                entry("g:3", wallet, "revenue", 1, group=(other := uuid4())),
                entry("g:1", CLEARING, wallet, 100, group=other),
            ]
        )


def test_currencies_never_mix(alice, wallet, top_up):
    top_up(wallet, 100)
    roubles = wallets.wallet_id_of(alice.pk, "RUB")
    with pytest.raises(ledger.CurrencyMismatch):
        ledger.post([entry("x", wallet, "revenue", 5, currency="RUB")])
    revenue = Account.objects.create(kind="revenue", code="revenue:roubles", currency="RUB")
    with pytest.raises(ledger.CurrencyMismatch):
        ledger.post([entry("x", wallet, revenue.pk, 5)])
    with pytest.raises(ledger.CurrencyMismatch):
        ledger.post([entry("x", roubles, revenue.pk, 5)])


def test_a_transaction_never_involves_two_customers(wallet, mallory, top_up):
    top_up(wallet, 100)
    with pytest.raises(ledger.UnknownAccount):
        ledger.post([entry("x", wallet, wallets.wallet_id_of(mallory.pk, "EUR"), 5)])
    with pytest.raises(ledger.UnknownAccount):
        ledger.post([entry("x", wallet, wallets.debt_id_of(mallory.pk, "EUR"), 5)])


@pytest.mark.parametrize(("debit", "credit"), [(10**9, "revenue"), ("revenue", 10**9), ("revenu", "disputes")])
def test_an_unknown_account_is_an_error(debit, credit):
    with pytest.raises(ledger.UnknownAccount):
        ledger.post([entry("x", debit, credit, 5)])
    assert not Account.objects.filter(code="revenu").exists()


@pytest.mark.parametrize("amount", [0, -1, 1.5, True, "5", 2**63])
def test_an_amount_must_be_a_whole_number_above_zero(wallet, amount):
    with pytest.raises(ValueError, match="amount"):
        ledger.post([entry("x", CLEARING, wallet, amount)])


def test_a_wallet_cannot_exceed_bigint(wallet):
    most = 2**63 - 1
    assert outcomes(entry("all", CLEARING, wallet, most), entry("more", "promotions", wallet, 1)) == [
        POSTED,
        INSUFFICIENT,
    ]
    assert balance_of(wallet) == most


def test_a_system_account_may_be_named_by_code_or_by_id(wallet):
    ledger.post([entry("1", CLEARING, wallet, 100)])
    clearing = Account.objects.get(code=CLEARING)
    assert (clearing.kind, clearing.balance) == ("gateway_clearing", None)
    assert outcomes(entry("2", clearing.pk, wallet, 5), entry("1", clearing.pk, wallet, 100)) == [POSTED, EXISTS]
    assert balance_of(CLEARING) == -105


def test_a_debt_is_paid_down_to_zero_at_most(wallet, debt):
    assert outcomes(
        entry("1", debt, "disputes", 50),
        entry("2", CLEARING, wallet, 100),
        entry("3", wallet, debt, 51),  # more than the debt
        entry("4", wallet, debt, 50),
    ) == [POSTED, POSTED, INSUFFICIENT, POSTED]
    assert (balance_of(wallet), balance_of(debt), balance_of("disputes")) == (50, 0, 50)


def test_time_never_goes_back_within_a_wallet(wallet, top_up):
    top_up(wallet, 100)
    with pytest.raises(ledger.OutOfOrder):
        ledger.post([entry("x", wallet, "revenue", 5, effective_at=NOON - timedelta(microseconds=1))])
    with pytest.raises(ledger.OutOfOrder):
        ledger.post(
            [
                entry("x", wallet, "revenue", 5, effective_at=NOON + timedelta(hours=2)),
                entry("y", wallet, "revenue", 5, effective_at=NOON + timedelta(hours=1)),
            ]
        )
    with pytest.raises(ValueError, match="time zone"):
        ledger.post([entry("x", wallet, "revenue", 5, effective_at=datetime(2026, 3, 2))])  # noqa: DTZ001
    assert balance_of(wallet) == 100


def test_the_number_of_statements_does_not_grow_with_the_batch(wallet, mallory, django_assert_num_queries):
    hers = wallets.wallet_id_of(mallory.pk, "EUR")
    ledger.post([entry("open", CLEARING, wallet, 1), entry("revenue", wallet, "revenue", 1)])
    # A single entry: one statement. A batch: lock, system accounts, keys, insert.
    for size, statements in ((1, 1), (2, 4), (300, 4)):
        batch = [entry(f"{size}:{n}", CLEARING, (wallet, hers)[n % 2], 10, description=str(n)) for n in range(size)]
        with django_assert_num_queries(statements):
            post(batch)

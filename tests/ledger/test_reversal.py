import pytest

import ledger
from ledger import reversal
from ledger.models import Transaction
from tests.ledger.conftest import NOON, balance_of, entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def mistake(wallet) -> Transaction:
    """Staff credited 50.00 by mistake."""
    ledger.post([entry("adj:1", "adjustments", wallet, 50_00)])
    return Transaction.objects.get()


def test_a_reversal_is_a_new_transaction_that_refers_to_the_first(wallet, mistake, staff):
    back = reversal.entry(
        mistake, reason="adjustment", effective_at=NOON, description="wrong customer", author=staff.pk
    )
    [posted] = ledger.post([back])
    assert posted.id is not None
    row = Transaction.objects.get(pk=posted.id)
    assert (row.debit_id, row.credit_id, row.amount) == (wallet, mistake.debit_id, 50_00)
    assert (row.reverses, row.author_id, row.description) == (mistake, staff.pk, "wrong customer")
    assert (balance_of(wallet), balance_of("adjustments")) == (0, 0)


def test_a_transaction_is_reversed_at_most_once(wallet, mistake):
    ledger.post([entry("more", "adjustments", wallet, 50_00)])
    back = reversal.entry(mistake, reason="adjustment", effective_at=NOON)
    assert [ledger.post([back])[0].outcome for _ in range(2)] == [ledger.Outcome.POSTED, ledger.Outcome.EXISTS]
    assert balance_of(wallet) == 50_00


def test_spent_money_cannot_be_reversed(wallet, mistake):
    ledger.post([entry("spent", wallet, "revenue", 1)])
    [posted] = ledger.post([reversal.entry(mistake, reason="adjustment", effective_at=NOON)])
    assert posted.outcome is ledger.Outcome.INSUFFICIENT

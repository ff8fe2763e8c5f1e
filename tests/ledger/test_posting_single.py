"""A single entry is posted in one statement, with the same outcome as in a batch."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

import ledger
from ledger import wallets
from ledger.batch import LARGEST
from ledger.models import Account, Transaction
from tests.ledger.conftest import CLEARING, NOON, balance_of, entry

pytestmark = pytest.mark.django_db
FIELDS = [field.attname for field in Transaction._meta.fields if field.name not in ("id", "created_at")]


@pytest.fixture
def scene(alice, mallory, wallet, debt):
    """100 in Alice's wallet, last moved at noon; a debt of 30; open system accounts; another customer and currency."""
    ledger.post(
        [
            entry("in", CLEARING, wallet, 101),
            entry("taken", debt, "disputes", 30),
            entry("spent", wallet, "revenue", 1),
        ]
    )
    return {
        "wallet": wallet, "debt": debt, "hers": wallets.wallet_id_of(mallory.pk, "EUR"),
        "dollars": wallets.wallet_id_of(alice.pk, "USD"), "revenue": Account.objects.get(code="revenue").pk,
    }  # fmt: skip


LATER, EARLIER = NOON + timedelta(hours=1), NOON - timedelta(hours=1)
CASES: dict[str, tuple[Any, str, int, dict[str, Any]]] = {
    "out of the wallet": ("wallet", "revenue!", 100, {}),
    "into the wallet": (CLEARING, "wallet", 7, {"effective_at": LATER, "description": 'A "word" \\ 5 €, 100 %s'}),
    "more than the balance": ("wallet", "revenue!", 101, {}),
    "the largest amount": (CLEARING, "hers", LARGEST, {}),
    "more than fits": (CLEARING, "wallet", LARGEST, {}),
    "before the last": ("wallet", "revenue!", 1, {"effective_at": EARLIER}),
    "posted before": (CLEARING, "wallet", 101, {"key": "in"}),
    "another cause's key": (CLEARING, "wallet", 102, {"key": "in"}),
    "no such code": ("wallet", "revenues", 1, {}),
    "no such wallet": (10**9, "revenue!", 1, {}),
    "another currency": ("dollars", "revenue!", 1, {}),
    "another currency in the entry": ("wallet", "revenue!", 1, {"currency": "USD"}),
    "a debt": (CLEARING, "debt", 30, {}),
    "both ids": ("wallet", "revenue", 1, {}),
    "both codes": (CLEARING, "revenue!", 1, {}),
    "wallet to debt": ("wallet", "debt", 5, {}),
    "two customers": ("wallet", "hers", 5, {}),
    "zero": ("wallet", "revenue!", 0, {}),
    "below zero": ("wallet", "revenue!", -5, {}),
    "not a number": ("wallet", "revenue!", True, {}),
    "in a group": ("wallet", "revenue!", 1, {"group": uuid4()}),
    "in a group, not covered": ("wallet", "revenue!", 101, {"group": uuid4()}),
}


def attempt(subject, others):
    """Post an entry alone or in a batch, return its outcome, its row and all balances, and roll back."""
    with transaction.atomic():
        try:
            outcome: object = ledger.post([subject, *others])[0]._replace(id=None)
        except (ledger.KeyReused, ledger.CurrencyMismatch, ledger.UnknownAccount, ValueError) as error:
            outcome = type(error), str(error)
        rows = list(Transaction.objects.filter(key=subject.key).values_list(*FIELDS))
        accounts = Account.objects.exclude(code="gateway_clearing:other").exclude(owner__username="staff")
        balances = {
            (account.code, account.kind, account.owner_id, account.currency): balance_of(account.pk)
            for account in accounts
        }
        transaction.set_rollback(True)
    return outcome, rows, balances


@pytest.mark.parametrize("name", CASES)
def test_a_single_entry_has_the_same_outcome_as_in_a_batch(scene, staff, name):
    stranger = wallets.wallet_id_of(staff.pk, "EUR")
    debit, credit, amount, more = CASES[name]
    debit, credit = (side.rstrip("!") if str(side).endswith("!") else scene.get(side, side) for side in (debit, credit))
    fields: dict[str, Any] = {"key": "it", "debit": debit, "credit": credit, "amount": amount} | more
    subject = entry(**fields)
    # Another entry, which makes it a batch. `attempt` ignores its accounts.
    other = entry("other", "gateway_clearing:other", stranger, 1)
    assert attempt(subject, []) == attempt(subject, [other])


def test_a_refused_single_entry_writes_nothing(scene):
    before = Transaction.objects.count()
    ledger.post([entry("it", scene["wallet"], "revenue", 101)])
    assert Transaction.objects.count() == before
    with CaptureQueriesContext(connection) as caught:
        ledger.post([entry("it", scene["wallet"], "revenue", 100)])
    assert len(caught) == 1

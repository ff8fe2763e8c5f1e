"""Random batches have the same outcomes and balances in the ledger as in a small model."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

import ledger
from accounts.models import User
from ledger import statements, wallets
from ledger.integrity import CHECKS
from tests.ledger.conftest import NOON, balance_of, entry
from tests.ledger.snapshot import found

OWN = ["alice", "alice owes", "mallory", "mallory owes"]
SYSTEM = ["revenue", "disputes", "gateway_clearing:sandbox"]


class Model:
    """A minimal ledger: wallets stay at or above zero, debts at or below zero."""

    def __init__(self) -> None:
        self.balances = dict.fromkeys(OWN + SYSTEM, 0)
        self.posted: set[str] = set()

    def fits(self) -> bool:
        return all(self.balances[name] <= 0 if "owes" in name else self.balances[name] >= 0 for name in OWN)

    def post(self, batch, failed=frozenset()) -> list[str]:
        """Decide in order. If a group does not fit, start again without that group."""
        balances, posted, outcomes = dict(self.balances), set(self.posted), []
        for key, debit, credit, amount, group in batch:
            if group in failed:
                outcomes.append("insufficient")
                continue
            if key in self.posted:
                outcomes.append("exists")
                continue
            self.balances[debit] -= amount
            self.balances[credit] += amount
            if self.fits():
                self.posted.add(key)
                outcomes.append("posted")
                continue
            self.balances[debit] += amount
            self.balances[credit] -= amount
            if group is not None:
                self.balances, self.posted = balances, posted
                return self.post(batch, failed | {group})
            outcomes.append("insufficient")
        return outcomes


@st.composite
def moves(draw) -> tuple[str, str]:
    """Generate two accounts that may be in one transaction: never of two customers."""
    debit = draw(st.sampled_from(OWN + SYSTEM))
    others = [name for name in OWN + SYSTEM if name != debit]
    if debit in OWN:
        others = [name for name in others if name in SYSTEM or name.split()[0] == debit.split()[0]]
    return debit, draw(st.sampled_from(others))


@st.composite
def histories(draw):
    """Generate batches of entries with new keys. Some batches are repeated later."""
    batches: list[list[tuple]] = []
    number = 0
    for _ in range(draw(st.integers(1, 6))):
        batch = []
        for _ in range(draw(st.integers(1, 8))):
            group = draw(st.none() | st.integers(1, 2))
            number += 1
            batch.append((f"k{number}", *draw(moves()), draw(st.integers(1, 40)), group and (len(batches), group)))
        batches.append(batch)
        if draw(st.booleans()):
            batches.append(draw(st.sampled_from(batches)))
    return batches


@pytest.mark.django_db
@given(history=histories())
def test_the_ledger_matches_the_model(history):
    with transaction.atomic():
        play(history)
        # The next example starts with an empty ledger.
        transaction.set_rollback(True)


def play(history) -> None:
    """Post each batch to the ledger and the model, and compare them."""
    names = people()
    model = Model()
    for turn, batch in enumerate(history):
        entries = [
            entry(
                key, names.get(debit, debit), names.get(credit, credit), amount,
                group=group and UUID(int=group[0] * 10 + group[1]), effective_at=NOON + timedelta(minutes=turn),
            )
            for key, debit, credit, amount, group in batch
        ]  # fmt: skip
        assert [posted.outcome for posted in ledger.post(entries)] == model.post(batch)
        assert {name: balance_of(names[name]) for name in OWN} == {name: model.balances[name] for name in OWN}
    assert statements.trial_balance("EUR") == 0
    assert found(CHECKS) == {}


def people() -> dict[str, int]:
    """Create two customers with a wallet and a debt each, and return the account ids by name."""
    names = {}
    for name in ("alice", "mallory"):
        user = User.objects.create(username=name, email=f"{name}@example.com")
        names[name] = wallets.wallet_id_of(user.pk, "EUR")
        names[f"{name} owes"] = wallets.debt_id_of(user.pk, "EUR")
    return names

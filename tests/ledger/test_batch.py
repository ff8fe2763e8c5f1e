"""Random batches against a model of twenty lines: same outcomes, same balances, whatever the mix."""

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
    """What a ledger is. Debts are kept at zero or below, wallets at zero or above."""

    def __init__(self) -> None:
        self.held = dict.fromkeys(OWN + SYSTEM, 0)
        self.posted: set[str] = set()

    def fits(self) -> bool:
        return all(self.held[name] <= 0 if "owes" in name else self.held[name] >= 0 for name in OWN)

    def post(self, batch, fallen=frozenset()) -> list[str]:
        """Decide in order; a group that does not fit is taken as never asked for, and all is decided afresh."""
        held, posted, outcomes = dict(self.held), set(self.posted), []
        for key, debit, credit, amount, group in batch:
            if group in fallen:
                outcomes.append("insufficient")
                continue
            if key in self.posted:
                outcomes.append("exists")
                continue
            self.held[debit] -= amount
            self.held[credit] += amount
            if self.fits():
                self.posted.add(key)
                outcomes.append("posted")
                continue
            self.held[debit] += amount
            self.held[credit] -= amount
            if group is not None:
                self.held, self.posted = held, posted
                return self.post(batch, fallen | {group})
            outcomes.append("insufficient")
        return outcomes


@st.composite
def moves(draw) -> tuple[str, str]:
    """Two accounts that may stand in one transaction: never of two customers."""
    debit = draw(st.sampled_from(OWN + SYSTEM))
    others = [name for name in OWN + SYSTEM if name != debit]
    if debit in OWN:
        others = [name for name in others if name in SYSTEM or name.split()[0] == debit.split()[0]]
    return debit, draw(st.sampled_from(others))


@st.composite
def histories(draw):
    """Batches of entries with fresh keys, some of which come again later, alone or with their whole group."""
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
def test_the_ledger_does_what_the_model_does(history):
    with transaction.atomic():
        play(history)
        # The next example begins with nothing.
        transaction.set_rollback(True)


def play(history) -> None:
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
        assert {name: balance_of(names[name]) for name in OWN} == {name: model.held[name] for name in OWN}
    assert statements.trial_balance("EUR") == 0
    assert found(CHECKS) == {}


def people() -> dict[str, int]:
    """Two customers with a wallet and a debt each, fresh for every example."""
    names = {}
    for name in ("alice", "mallory"):
        user = User.objects.create(username=name, email=f"{name}@example.com")
        names[name] = wallets.wallet_id_of(user.pk, "EUR")
        names[f"{name} owes"] = wallets.debt_id_of(user.pk, "EUR")
    return names

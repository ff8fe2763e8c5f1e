"""Lost answers of charges: in the end the gateway's money equals ours, and nobody was charged twice for one cause.

`make lost-charges` makes a long run of it, with 10,000 lost answers.
"""

import os
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection

from accounts.models import User
from payments import sweeps
from payments.collection import consents
from payments.gateways.sessions import State
from payments.models import Collection, Payment, PaymentMethod
from subscriptions import books
from tests.ledger.snapshot import found
from tests.payments.collection.scripted_gateway import Bank, Scripted
from tests.payments.collection.test_once import START, bank, run
from tests.subscriptions.bank import people
from tests.subscriptions.shop import pay_in, sell

# With real commits: the row versions that one long transaction would keep are no part of the story.
pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["bank"]

LOST = int(os.environ.get("LOST_ANSWERS", "40"))
# Each customer loses so many answers, and so many customers are in one test: several processes share a long run.
ROUNDS, MOST = 4, 250
CUSTOMERS = LOST // ROUNDS
GROUPS = [min(MOST, CUSTOMERS - begun) for begun in range(0, CUSTOMERS, MOST)]


@pytest.mark.parametrize("count", GROUPS, ids=[f"{number}-of-{each}" for number, each in enumerate(GROUPS, start=1)])
def test_lost_answers_charge_nobody_twice(bank: type[Scripted], monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Three requests of each customer never arrive; the fourth takes the money, and nobody says so."""
    monkeypatch.setattr(sweeps, "BATCH", 10 * count)
    # A sweep adds the seconds that it has taken so far: here it takes none.
    monkeypatch.setattr(sweeps, "time", SimpleNamespace(monotonic=lambda: 0.0))
    monkeypatch.setattr("payments.gateways.guard.LIMIT", 10**9)
    agree(people(count))
    bank.bank = Bank(answers=["lost_before"] * (ROUNDS - 1) * count + ["lost_after"] * count)
    now = START + timedelta(days=30)
    analyze()
    for turn in range(1, ROUNDS + 1):
        run(now)
        open_ones = Payment.objects.filter(collection__isnull=False, status="unknown")
        assert (open_ones.count(), len(bank.bank.requests)) == (count, turn * count)
        # Ten minutes later it is known that the request never arrived, and ten minutes after that the next one is sent.
        now += timedelta(minutes=10)
        run(now)
        assert open_ones.count() == 0
        now += timedelta(minutes=11)
        analyze()
    run(now)
    taken = bank.bank.taken()
    assert len(taken) == len({each.idempotency_key for each in taken}) == count
    # Nobody was asked again: each lost answer is that of another attempt.
    assert len(bank.bank.requests) == len(bank.bank.asked) == ROUNDS * count
    assert Collection.objects.filter(status="collected").count() == count
    credited = Payment.objects.filter(collection__isnull=False, status="confirmed")
    assert sum(credited.values_list("amount", flat=True)) == sum(each.amount or 0 for each in taken) == count * 990_00
    assert {each.state for each in bank.bank.payments.values()} == {State.SUCCEEDED}
    assert found() == {}


def analyze() -> None:
    """Tell the planner how many rows there are, as autovacuum does in time."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def agree(customers: list[User]) -> None:
    """Give each a plan for 990.00 roubles a month, a card, and the consent that renewals are charged to it."""
    price = sell("basic", RUB=990_00)["RUB"]
    for number, customer in enumerate(customers):
        pay_in(customer, 990_00, at=START)
        with books.open(customer, "RUB", now=START) as book:
            book.subscribe(price)
        card = PaymentMethod.objects.create(
            customer=customer, gateway="sandbox", gateway_id=f"card_{number}", created_at=START
        )
        consents.agree_to_renewals(card, address=None, now=START)

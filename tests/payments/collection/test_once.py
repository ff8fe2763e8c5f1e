"""At most one successful charge for one cause, and none without consent and method, whatever happens and when."""

import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import User
from payments import reconciliation, sweeps
from payments.collection import consents, plans
from payments.gateways.sessions import State
from payments.models import Collection, Consent, Payment, PaymentMethod
from subscriptions import billing_run, books
from tests.ledger.snapshot import found
from tests.payments.collection import scripted_gateway
from tests.payments.collection.scripted_gateway import ANSWERS, Bank, Scripted
from tests.payments.rows import times_credited
from tests.subscriptions.bank import people
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
# How many answers get lost; LOST_ANSWERS=10000 takes a while and needs --timeout 0.
LOST = int(os.environ.get("LOST_ANSWERS", "40"))

# An example plays weeks in the database, so fewer of them are tried than elsewhere.
EXAMPLES = max(5, (hypothesis_settings.default or hypothesis_settings()).max_examples // 10)

ACTS = st.one_of(
    st.tuples(st.just("tick"), st.integers(1, 60)),
    st.tuples(st.just("tick"), st.integers(60, 60 * 24 * 3)),
    st.tuples(st.sampled_from(("agree", "withdraw", "remove", "confirm", "refuse", "top_up", "spend")), st.just(0)),
)


@pytest.fixture
def bank(settings: Any, monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    settings.GATEWAY_CLASSES = {"sandbox": scripted_gateway.PATH}
    monkeypatch.setattr(Scripted, "bank", Bank())
    return Scripted


def run(now: datetime) -> None:
    """Run what the scheduler runs."""
    # The breaker would spare the gateway most of its calls.
    cache.clear()
    billing_run.run_due(now=now)
    for act in (reconciliation.check_all, plans.check_due):
        act(now=now)


class World:
    """A customer with one plan, and everything that may happen to them."""

    def __init__(self, customer: User, bank: Bank) -> None:
        self.customer, self.bank, self.now, self.cards = customer, bank, START, 0
        pay_in(customer, 990_00, at=START)
        with books.open(customer, "RUB", now=START) as book:
            book.subscribe(sell("basic", RUB=990_00)["RUB"])
        self.agree()

    def agree(self) -> None:
        kept = PaymentMethod.objects.filter(customer=self.customer, removed_at=None, refused_at=None)
        card = kept.first() or self.new_card()
        consents.agree_to_renewals(card, address=None, now=self.now)

    def new_card(self) -> PaymentMethod:
        self.cards += 1
        return PaymentMethod.objects.create(
            customer=self.customer, gateway="sandbox", gateway_id=f"card_{self.cards}", brand="Visa",
            created_at=self.now,
        )  # fmt: skip

    def do(self, act: str, minutes: int) -> None:
        before = len(self.bank.requests)
        match act:
            case "tick":
                self.now += timedelta(minutes=minutes)
                run(self.now)
            case "agree":
                self.agree()
            case "withdraw":
                for consent in Consent.objects.filter(withdrawn_at=None):
                    consents.withdraw(consent, now=self.now)
            case "remove":
                PaymentMethod.objects.filter(removed_at=None).update(removed_at=self.now)
            case "confirm" | "refuse":
                self.bank.settle(succeeds=act == "confirm")
            case "top_up":
                pay_in(self.customer, 300_00, at=self.now)
            case "spend":
                self.spend()
        self.check(before)

    def spend(self) -> None:
        with books.open(self.customer, "RUB", now=self.now) as book:
            if book.balance > 100_00:
                book.withdraw(100_00, key=f"out:{self.now}:{book.balance}", to="adjustments", reason="adjustment")

    def check(self, before: int) -> None:
        for request in self.bank.requests[before:]:
            payment = Payment.objects.get(public_id=request.idempotency_key)
            consent = Consent.objects.get(withdrawn_at=None)
            method = consent.method
            assert (payment.method, method.removed_at, method.is_default) == (method, None, True)
        sent = Counter(request.idempotency_key for request in self.bank.requests)
        assert set(sent.values()) <= {1}
        causes: Counter[str] = Counter()
        for taken in self.bank.taken():
            payment = Payment.objects.select_related("collection").get(public_id=taken.idempotency_key)
            assert payment.collection is not None
            causes[payment.collection.cause] += 1
        assert set(causes.values()) <= {1}


@hypothesis_settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(answers=st.lists(st.sampled_from(ANSWERS), max_size=12), acts=st.lists(ACTS, min_size=5, max_size=15))
def test_one_cause_is_charged_once(bank: type[Scripted], answers: list[str], acts: list[tuple[str, int]]) -> None:
    with transaction.atomic():
        bank.bank = Bank(answers=list(answers))
        world = World(people(1)[0], bank.bank)
        world.now = START + timedelta(days=29)
        run(world.now)
        for act, minutes in acts:
            world.do(act, minutes)
        # In the end everything is known: what the gateway took is what we have credited.
        bank.bank.settle(succeeds=True)
        for minutes in (2, 10, 60, 60 * 24, 60 * 24):
            world.do("tick", minutes)
        credited = Payment.objects.filter(collection__isnull=False, status="confirmed")
        assert sorted(payment.gateway_id or "" for payment in credited) == sorted(
            taken.gateway_id for taken in bank.bank.taken()
        )
        assert all(times_credited(payment) == 1 for payment in credited)
        assert found() == {}
        transaction.set_rollback(True)


def test_lost_answers_charge_nobody_twice(bank: type[Scripted], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer is lost: of half of the customers before the charge, of the others after it."""
    monkeypatch.setattr(sweeps, "BATCH", 10 * LOST)
    price = sell("basic", RUB=990_00)["RUB"]
    customers = people(LOST)
    for number, customer in enumerate(customers):
        pay_in(customer, 990_00, at=START)
        with books.open(customer, "RUB", now=START) as book:
            book.subscribe(price)
        card = PaymentMethod.objects.create(
            customer=customer, gateway="sandbox", gateway_id=f"card_{number}", created_at=START
        )
        consents.agree_to_renewals(card, address=None, now=START)
    bank.bank = Bank(answers=["lost_before", "lost_after"] * (LOST // 2))
    monkeypatch.setattr("payments.gateways.guard.LIMIT", 10**9)
    now = START + timedelta(days=30)
    run(now)
    assert Payment.objects.filter(collection__isnull=False, status="unknown").count() == LOST
    for minutes in (1, 10, 15, 15, 60):
        now += timedelta(minutes=minutes)
        run(now)
    taken = bank.bank.taken()
    assert len(taken) == len({each.idempotency_key for each in taken}) == LOST
    # The half that never arrived was sent anew, as another attempt.
    assert len(bank.bank.requests) == LOST + LOST // 2
    assert Collection.objects.filter(status="collected").count() == LOST
    credited = Payment.objects.filter(collection__isnull=False, status="confirmed")
    assert sum(credited.values_list("amount", flat=True)) == sum(each.amount or 0 for each in taken) == LOST * 990_00
    assert {each.state for each in bank.bank.payments.values()} == {State.SUCCEEDED}
    assert found() == {}

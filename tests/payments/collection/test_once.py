"""At most one successful charge for one cause, and none without consent and method, whatever happens and when.

A customer has a monthly plan and a server by the hour, agrees to renewals and to automatic top-ups, and takes that back
at any moment, also while a charge begins or is under way. The gateway answers anything, or not at all.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import User
from payments import methods, reconciliation
from payments.collection import attempts, consents, plans, top_ups
from payments.gateways.charges import ChargeRequest
from payments.models import AutoTopUp, Collection, Consent, Payment, PaymentMethod
from subscriptions import billing_run, books
from tests.ledger.snapshot import found
from tests.payments.collection import scripted_gateway
from tests.payments.collection.scripted_gateway import ANSWERS, Bank, Scripted
from tests.payments.rows import times_credited
from tests.subscriptions.bank import people
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
CAP = 3000_00

# An example plays weeks in the database, so fewer of them are tried than elsewhere.
EXAMPLES = max(5, (hypothesis_settings.default or hypothesis_settings()).max_examples // 3)

# What takes a consent or a method away.
TAKING = ("withdraw", "withdraw_top_ups", "rule_off", "remove")
ACTS = st.one_of(
    st.tuples(st.just("tick"), st.integers(1, 60)),
    st.tuples(st.just("tick"), st.integers(60, 60 * 24 * 3)),
    st.tuples(st.sampled_from(("agree", "rule", "days", "confirm", "refuse", "top_up", "spend", *TAKING)), st.just(0)),
    # The next charge finds it in between: after the attempt was committed, or while the gateway is at work.
    st.tuples(st.sampled_from([f"{when}:{act}" for when in ("before", "during") for act in TAKING]), st.just(0)),
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
    """A customer with a plan and a server, and everything that may happen to them."""

    def __init__(self, customer: User, bank: Bank) -> None:
        self.customer, self.bank, self.now, self.cards = customer, bank, START, 0
        # What happens before the next attempt is sent, or while the gateway is at work; empty for nothing.
        self.before = self.during = ""
        # What the gateway was asked for and must not have been.
        self.wrong: list[str] = []
        pay_in(customer, 1300_00, at=START)
        with books.open(customer, "RUB", now=START) as book:
            book.subscribe(sell("basic", RUB=990_00)["RUB"])
            book.subscribe(sell("hourly", RUB=36, interval="hour", metered=True)["RUB"])
        self.agree()
        bank.watch = self.watch

    def card(self) -> PaymentMethod:
        kept = PaymentMethod.objects.filter(customer=self.customer, removed_at=None, refused_at=None)
        return kept.first() or self.new_card()

    def new_card(self) -> PaymentMethod:
        self.cards += 1
        return PaymentMethod.objects.create(
            customer=self.customer, gateway="sandbox", gateway_id=f"card_{self.cards}", brand="Visa",
            created_at=self.now,
        )  # fmt: skip

    def agree(self) -> None:
        consents.agree_to_renewals(self.card(), address=None, now=self.now)

    def turn_on(self, **numbers: int) -> None:
        top_ups.turn_on(self.card(), "RUB", cap=CAP, address=None, now=self.now, **numbers)

    def do(self, act: str, minutes: int = 0) -> None:
        match act:
            case "tick":
                self.now += timedelta(minutes=minutes)
                run(self.now)
            case "agree":
                self.agree()
            case "rule":
                self.turn_on(threshold=200_00, amount=500_00)
            case "days":
                self.turn_on(days=3)
            case "confirm" | "refuse":
                self.bank.settle(succeeds=act == "confirm")
            case "top_up":
                pay_in(self.customer, 300_00, at=self.now)
            case "spend":
                self.spend()
            case _ if act.startswith("before:"):
                self.before = act.removeprefix("before:")
            case _ if act.startswith("during:"):
                self.during = act.removeprefix("during:")
            case _:
                self.take(act)
        self.check()

    def take(self, act: str) -> None:
        """Take a consent or the methods away, as the customer does."""
        match act:
            case "withdraw":
                for consent in Consent.objects.filter(withdrawn_at=None, purpose="renewals"):
                    consents.withdraw(consent, now=self.now)
            case "withdraw_top_ups":
                for consent in Consent.objects.filter(withdrawn_at=None, purpose="top_ups"):
                    consents.withdraw(consent, now=self.now)
            case "rule_off":
                top_ups.turn_off(self.customer.pk, "RUB", now=self.now)
            case "remove":
                for method in PaymentMethod.objects.filter(removed_at=None):
                    methods.remove(method, now=self.now)

    def spend(self) -> None:
        with books.open(self.customer, "RUB", now=self.now) as book:
            if book.balance > 100_00:
                book.withdraw(100_00, key=f"out:{self.now}:{book.balance}", to="adjustments", reason="adjustment")

    def send(self, send: Callable[..., Payment], payment: Payment, now: datetime) -> Payment:
        """Send an attempt that was committed, after what happens in between."""
        act, self.before = self.before, ""
        self.take(act)
        return send(payment, now=now)

    def watch(self, request: ChargeRequest) -> None:
        """Look whether this charge is allowed at the moment at which the gateway gets it."""
        payment = Payment.objects.get(public_id=request.idempotency_key)
        collection = payment.collection
        assert collection is not None
        consent = consents.in_force(self.customer.pk, *consents.scope_of(collection))
        if consent is None or payment.method is None or consent.method != payment.method:
            self.wrong.append(f"{payment}: no consent to {payment.method}")
            return
        method, rule = consent.method, collection.rule
        if (request.method, method.removed_at, method.refused_at) != (method.gateway_id, None, None):
            self.wrong.append(f"{payment}: {method} cannot be charged")
        if rule is None and not method.is_default:
            self.wrong.append(f"{payment}: {method} is not the default one")
        if rule is not None and (not rule.is_on or rule.consent != consent):
            self.wrong.append(f"{payment}: the rule is not on")
        others = Payment.objects.filter(collection__isnull=False, status__in=("pending", "unknown"))
        if others.exclude(pk=payment.pk).exists():
            self.wrong.append(f"{payment}: another attempt is open")
        act, self.during = self.during, ""
        self.take(act)

    def check(self) -> None:
        assert self.wrong == []
        sent = Counter(request.idempotency_key for request in self.bank.requests)
        assert set(sent.values()) <= {1}
        taken = [Payment.objects.get(public_id=each.idempotency_key) for each in self.bank.taken()]
        assert set(Counter(payment.collection_id for payment in taken).values()) <= {1}
        spent: Counter[int] = Counter()
        for payment in taken:
            assert payment.collection is not None
            if payment.collection.rule is not None:
                spent[payment.created_at.month] += payment.amount
        assert max(spent.values(), default=0) <= CAP

    def end(self) -> None:
        """In the end everything is known: what the gateway took is what we have credited."""
        self.bank.settle(succeeds=True)
        for minutes in (2, 10, 60, 60 * 24, 60 * 24):
            self.do("tick", minutes)
        credited = Payment.objects.filter(collection__isnull=False, status="confirmed")
        ids = [payment.gateway_id or "" for payment in credited]
        assert sorted(ids) == sorted(taken.gateway_id for taken in self.bank.taken())
        assert all(times_credited(payment) == 1 for payment in credited)

    def leave(self) -> None:
        """Who has taken back everything is not charged any more."""
        for act in TAKING:
            self.do(act)
        sent = len(self.bank.requests)
        for _day in range(4):
            self.do("tick", 60 * 24 * 8)
        assert len(self.bank.requests) == sent


@hypothesis_settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(answers=st.lists(st.sampled_from(ANSWERS), max_size=12), acts=st.lists(ACTS, min_size=5, max_size=15))
def test_one_cause_is_charged_once(
    bank: type[Scripted], monkeypatch: pytest.MonkeyPatch, answers: list[str], acts: list[tuple[str, int]]
) -> None:
    with transaction.atomic(), monkeypatch.context() as patch:
        bank.bank = Bank(answers=list(answers))
        world = World(people(1)[0], bank.bank)
        send = attempts.send
        patch.setattr(attempts, "send", lambda payment, *, now: world.send(send, payment, now))
        world.now = START + timedelta(days=29)
        run(world.now)
        for act, minutes in acts:
            world.do(act, minutes)
        world.end()
        world.leave()
        assert found() == {}
        transaction.set_rollback(True)


def test_the_story_reaches_every_kind_of_charge(bank: type[Scripted]) -> None:
    """The property would hold of a world in which nothing is charged: here a renewal and both rules charge."""
    world = World(people(1)[0], bank.bank)
    world.do("rule")
    world.now = START + timedelta(days=29)
    run(world.now)
    for _day in range(3):
        world.do("tick", 60 * 24)
    world.do("days")
    for _day in range(20):
        world.do("tick", 60 * 24)
        world.do("spend")
    kinds = Collection.objects.filter(status="collected").values_list("kind", "rule__days_ahead")
    assert set(kinds) == {("renewal", None), ("top_up", None), ("top_up", 3)}
    assert AutoTopUp.objects.count() == 2
    amounts = Payment.objects.filter(status="confirmed").aggregate(sum=Sum("amount"))
    assert amounts["sum"] == sum(each.amount or 0 for each in bank.bank.taken())

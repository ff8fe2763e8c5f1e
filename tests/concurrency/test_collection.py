"""Several workers look at the same wallet at the same time, or a customer withdraws meanwhile: one charge at most."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from accounts.models import User
from payments import checkout, confirmation
from payments.collection import consents, plans, top_ups
from payments.gateways.sandbox import outcomes, sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.models import AutoTopUp, Collection, CollectionPlan, Consent, Payment, PaymentMethod
from tests.concurrency.sessions import at_once
from tests.ledger.snapshot import found
from tests.payments.rows import balance
from tests.subscriptions.shop import sell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def due(alice: User) -> datetime:
    """Return when Alice's renewal of 990.00 roubles is to be charged. She has agreed to that."""
    sell("basic", RUB=990_00)
    now = timezone.now()
    payment = checkout.start(alice, now=now, plan="basic", save_method=True)
    chosen = outcomes.ON_THE_PAGE["succeeds"]
    sessions.choose(payment.gateway_id or "", chosen, expected=sessions.Status.OPEN, now=now)
    payment = confirmation.confirm(payment.pk, now=now)
    consents.agree_to_renewals(PaymentMethod.objects.get(), address=None, now=now)
    plans.check_due(now=now)
    assert payment.subscription is not None
    payment.subscription.refresh_from_db()
    assert payment.subscription.period_end is not None
    return payment.subscription.period_end - timedelta(days=1)


def charges() -> int:
    return SandboxSession.objects.filter(charged__isnull=False).count()


def test_four_workers_charge_once(alice: User, due: datetime) -> None:
    plan = CollectionPlan.objects.get()
    at_once([partial(plans.review, plan, due)] * 4)
    assert (charges(), balance(alice), Collection.objects.get().status) == (1, 990_00, "collected")
    assert found() == {}


def test_four_sweeps_charge_once(alice: User, due: datetime) -> None:
    at_once([partial(plans.check_due, now=due)] * 4)
    assert (charges(), balance(alice)) == (1, 990_00)
    assert found() == {}


def test_a_withdrawal_at_the_same_time_comes_before_or_after(alice: User, due: datetime) -> None:
    consent = Consent.objects.get()
    jobs: list[Callable[[], object]] = [
        partial(plans.check_due, now=due), partial(consents.withdraw, consent, now=due),
    ]  # fmt: skip
    at_once(jobs)
    attempts = Payment.objects.filter(collection__isnull=False)
    # Either it was charged before the withdrawal, or it was not charged at all.
    assert charges() == attempts.filter(status="confirmed").count() <= 1
    assert balance(alice) == 990_00 * charges()
    assert found() == {}


def test_a_rule_is_turned_on_and_off_by_several_clicks_at_once(alice: User) -> None:
    now = timezone.now()
    card = PaymentMethod.objects.create(
        customer=alice, gateway="sandbox", gateway_id="card", brand="Visa", created_at=now
    )  # fmt: skip

    def on() -> object:
        return top_ups.turn_on(card, "RUB", threshold=100_00, amount=500_00, cap=5000_00, address=None, now=now)

    def off() -> None:
        top_ups.turn_off(alice.pk, "RUB", now=now)

    def consents_of_rules() -> list[Consent]:
        return [rule.consent for rule in AutoTopUp.objects.filter(ended_at=None)]

    for _turn in range(3):
        at_once([on] * 4)
        assert [consent.withdrawn_at for consent in consents_of_rules()] == [None]
        at_once([on, off, on, off])
        # Whichever comes last: a rule and its consent are on or off together.
        assert list(Consent.objects.filter(withdrawn_at=None)) == consents_of_rules()

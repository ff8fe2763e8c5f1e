"""Several workers look at the same wallet at the same time, or a customer withdraws meanwhile: one charge at most."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from accounts.models import User
from payments import checkout, confirmation
from payments.collection import consents, plans
from payments.gateways.sandbox import outcomes, sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Collection, CollectionPlan, Consent, Payment, PaymentMethod
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

"""Several clicks and several answers at the same time: one page, one saved method, one consent."""

from collections.abc import Callable
from functools import partial

import pytest
from django.utils import timezone

from accounts.models import User
from payments import checkout, confirmation, setups
from payments.collection import consents
from payments.collection.consents import Purpose
from payments.gateways.sandbox import outcomes, sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.models import CheckoutConsent, Consent, MethodSetup, Payment, PaymentMethod
from tests.concurrency.sessions import at_once
from tests.subscriptions.shop import sell

pytestmark = pytest.mark.django_db(transaction=True)


def pay(gateway_id: str | None, outcome: outcomes.Outcome) -> None:
    assert sessions.choose(str(gateway_id), outcome, expected=sessions.Status.OPEN, now=timezone.now())


@pytest.fixture
def agreed(alice: User) -> Payment:
    """A payment that is paid, and with which Alice has agreed that renewals are paid with its card."""
    sell("basic", RUB=990_00)
    now = timezone.now()
    agreement = consents.agreed("I agree.", address=None, now=now)
    payment = checkout.start(alice, now=now, plan="basic", save_method=True, agreement=agreement)
    pay(payment.gateway_id, outcomes.ON_THE_PAGE["succeeds"])
    return payment


def test_clicks_at_the_same_time_make_one_page(alice: User) -> None:
    now = timezone.now()
    at_once([partial(setups.start, alice, "sandbox", now=now)] * 4)
    assert (MethodSetup.objects.count(), SandboxSession.objects.count()) == (1, 1)
    assert MethodSetup.objects.get().gateway_id == SandboxSession.objects.get().session_id


def test_answers_at_the_same_time_save_one_method(alice: User) -> None:
    setup = setups.start(alice, "sandbox", now=timezone.now())
    pay(setup.gateway_id, outcomes.ON_A_SETUP["succeeds"])
    at_once([partial(setups.refresh, setup, now=timezone.now())] * 4)
    assert PaymentMethod.objects.count() == 1
    assert MethodSetup.objects.get().status == "saved"


def test_a_consent_of_a_checkout_arises_once(alice: User, agreed: Payment) -> None:
    at_once([partial(confirmation.refresh, agreed.pk, now=timezone.now())] * 4)
    assert Consent.objects.get() == CheckoutConsent.objects.get().consent
    assert consents.in_force(alice.pk, Purpose.RENEWALS) is not None


def test_another_consent_at_the_same_time_leaves_one_in_force(alice: User, agreed: Payment) -> None:
    other = PaymentMethod.objects.create(
        customer=alice, gateway="sandbox", gateway_id="card_2", created_at=timezone.now()
    )
    jobs: list[Callable[[], object]] = [
        partial(confirmation.confirm, agreed.pk, now=timezone.now()),
        partial(consents.agree_to_renewals, other, address=None, now=timezone.now()),
    ]
    at_once(jobs)
    # Whichever comes first: what was decided later, on the page, counts.
    [standing] = Consent.objects.filter(withdrawn_at=None)
    assert standing.method == other
    assert list(PaymentMethod.objects.filter(is_default=True)) == [other]

"""The consent to keep a payment method, and what a gateway is asked for with a page."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from payments import sessions
from payments.gateways.base import Capabilities
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxSession
from tests.payments import faulty_gateway
from tests.payments.checkouts import start

pytestmark = pytest.mark.django_db


def test_the_gateway_is_told_who_pays_and_whether_to_keep_the_method(alice: User) -> None:
    payment = start(alice, amount=100_00, currency="RUB", save_method=True)
    session = SandboxSession.objects.get()
    assert payment.save_method
    assert (session.customer, session.save_method) == (str(alice.pk), True)


def test_nothing_is_kept_without_consent(alice: User) -> None:
    assert not start(alice, amount=100_00, currency="RUB").save_method
    assert not SandboxSession.objects.get().save_method


def test_a_gateway_that_keeps_no_methods_is_not_asked_to(alice: User, settings: Any) -> None:
    settings.GATEWAY_CLASSES = {"euros": faulty_gateway.EUROS}
    settings.PAYMENT_GATEWAYS = ["euros"]
    assert not start(alice, amount=10_00, currency="EUR", save_method=True).save_method


def test_a_consent_that_changes_takes_a_new_page(alice: User) -> None:
    first = start(alice, amount=100_00, currency="RUB", save_method=True)
    second = start(alice, amount=100_00, currency="RUB", save_method=False)
    first.refresh_from_db()
    assert (first.status, second.save_method) == ("cancelled", False)
    # Without a word about it the payment goes on as agreed.
    assert start(alice, amount=100_00, currency="RUB") == second


@pytest.mark.parametrize(
    ("setting", "longest", "shortest", "lifetime"),
    [(1800, 86_400, 0, 1800), (1800, 600, 0, 600), (1800, 86_400, 1860, 1860), (1800, None, 0, 1800)],
)
def test_a_page_lives_as_set_within_what_the_gateway_can(
    settings: Any, monkeypatch: pytest.MonkeyPatch, setting: int, longest: int | None, shortest: int, lifetime: int
) -> None:
    can = Capabilities(
        currencies={"RUB": (1, 10)},
        longest_page=None if longest is None else timedelta(seconds=longest),
        shortest_page=timedelta(seconds=shortest),
    )
    monkeypatch.setattr(Sandbox, "can", can)
    settings.PAYMENT_EXPIRES_AFTER = timedelta(seconds=setting)
    now = timezone.now()
    assert sessions.page_end("sandbox", now=now) - now == timedelta(seconds=lifetime)


def test_a_page_that_is_opened_late_lives_from_then_on(alice: User, unsteady: Any) -> None:
    unsteady.break_before = 1
    payment = None
    with pytest.raises(Exception, match="did not answer"):
        payment = start(alice, amount=100_00, currency="RUB")
    payment = alice.payments.get()
    later = payment.created_at + timedelta(minutes=20)
    opened = sessions.open_page(payment, now=later)
    assert opened.expires_at == later + timedelta(minutes=30)

"""What every gateway promises about pages on which a customer saves a method without a payment.

The fixtures are those of the contract test: each gateway in turn, the visitor who plays the customer and the bank.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from payments.gateways import guard, registry
from payments.gateways.base import Gateway, Subject
from payments.gateways.methods import SetupState
from payments.gateways.sessions import SessionRequest, State
from tests.payments.gateways.conftest import CLASSES
from tests.payments.gateways.requests import charge_of, refused, setup_request
from tests.payments.gateways.visitors import visitor as visitors
from tests.payments.gateways.visitors.visitor import Visitor

pytestmark = pytest.mark.django_db(transaction=True)

# The gateways that save methods without a payment. A new one belongs here.
ADDING = ("sandbox", "stripe", "yookassa")


@pytest.fixture(params=ADDING)
def name(request: pytest.FixtureRequest, settings: Any) -> str:
    settings.GATEWAY_CLASSES, settings.PAYMENT_GATEWAYS = CLASSES, [request.param]
    return str(request.param)


@pytest.mark.parametrize("other", sorted(CLASSES.keys() - set(ADDING)))
def test_a_gateway_without_such_pages_refuses(other: str, settings: Any) -> None:
    settings.GATEWAY_CLASSES = CLASSES
    with visitors.visit(other, settings):
        gateway = registry.get(other)
        assert not gateway.can.adds_methods
        assert refused(gateway.create_setup, setup_request())
        assert refused(gateway.fetch_setup, "none_such")


def test_these_gateways_say_that_they_save_methods(gateway: Gateway) -> None:
    assert (gateway.can.adds_methods, gateway.can.saves_methods) == (True, True)


def test_a_new_page_is_open_and_nothing_is_saved(gateway: Gateway) -> None:
    session = gateway.create_setup(setup_request())
    assert session.confirmation_url.startswith(("http://", "https://"))
    assert session.expires_at > timezone.now()
    # A customer who turns back leaves it so.
    snapshot = gateway.fetch_setup(session.gateway_id)
    assert (snapshot.gateway_id, snapshot.state, snapshot.method) == (session.gateway_id, SetupState.OPEN, None)


def test_the_same_key_gives_the_same_page(gateway: Gateway) -> None:
    request = setup_request()
    assert gateway.create_setup(request) == gateway.create_setup(request)
    assert gateway.create_setup(setup_request()).gateway_id != gateway.create_setup(request).gateway_id


def test_a_saved_method_is_known_by_what_its_owner_sees(gateway: Gateway, visitor: Visitor) -> None:
    gateway_id = gateway.create_setup(setup_request()).gateway_id
    visitor.save_method(gateway_id)
    saved = gateway.fetch_setup(gateway_id)
    assert saved.state is SetupState.SAVED
    assert saved.method is not None
    assert (bool(saved.method.brand), len(saved.method.last4), saved.method.is_kept) == (True, 4, True)
    assert saved.method.expires_on is not None
    assert gateway.fetch_method(saved.method.gateway_id) == saved.method
    # Again and again, with the same answer.
    assert gateway.fetch_setup(gateway_id) == saved


def test_a_saved_method_can_be_charged(gateway: Gateway, visitor: Visitor, asked: SessionRequest) -> None:
    gateway_id = gateway.create_setup(setup_request()).gateway_id
    visitor.save_method(gateway_id)
    method = gateway.fetch_setup(gateway_id).method
    assert method is not None
    taken = gateway.charge(charge_of(method, asked))
    assert (taken.state, taken.amount) == (State.SUCCEEDED, asked.amount)


def test_a_second_card_belongs_to_the_same_customer(gateway: Gateway, visitor: Visitor) -> None:
    first = gateway.create_setup(setup_request()).gateway_id
    visitor.save_method(first)
    saved = gateway.fetch_setup(first).method
    assert saved is not None
    second = gateway.create_setup(setup_request(owner=saved.owner)).gateway_id
    visitor.save_method(second)
    other = gateway.fetch_setup(second).method
    assert other is not None
    assert (other.owner, other.gateway_id != saved.gateway_id) == (saved.owner, True)


def test_a_card_that_its_bank_refuses_is_not_saved(gateway: Gateway, visitor: Visitor) -> None:
    gateway_id = gateway.create_setup(setup_request()).gateway_id
    visitor.fail_to_save(gateway_id)
    snapshot = gateway.fetch_setup(gateway_id)
    expected = SetupState.OPEN if visitor.may_try_again else SetupState.ENDED
    assert (snapshot.state, snapshot.method) == (expected, None)


def test_an_unknown_id_is_a_permanent_error(gateway: Gateway, asked: SessionRequest) -> None:
    assert refused(gateway.fetch_setup, "none_such")
    # A payment is no such page, and such a page is no payment.
    assert refused(gateway.fetch_setup, gateway.create_session(asked).gateway_id)


def test_it_is_no_payment(gateway: Gateway, visitor: Visitor) -> None:
    gateway_id = gateway.create_setup(setup_request()).gateway_id
    visitor.save_method(gateway_id)
    now = timezone.now()
    span = {"since": now - timedelta(minutes=5), "until": now + timedelta(minutes=5)}
    assert list(gateway.list_payments(**span)) == []


def test_a_webhook_names_the_page(gateway: Gateway, visitor: Visitor) -> None:
    """Where the page's id is that of the method, the webhook is about the method."""
    gateway_id = gateway.create_setup(setup_request()).gateway_id
    subject = Subject.SETUP if Subject.SETUP in visitor.tells else Subject.METHOD
    sent = visitor.webhook(subject, gateway_id, at=timezone.now())
    notification = gateway.parse_webhook(sent.body, sent.headers, address=sent.address)
    assert (notification.subject, notification.gateway_id) == (subject, gateway_id)


def test_a_gateway_that_hangs_has_not_refused(gateway: Gateway, visitor: Visitor) -> None:
    gateway_id = gateway.create_setup(setup_request()).gateway_id
    calls: tuple[Callable[..., Any], ...] = (gateway.fetch_setup,)
    with visitor.hanging(gateway_id), guard.within(1):
        assert [refused(call, gateway_id) for call in calls] == [False]

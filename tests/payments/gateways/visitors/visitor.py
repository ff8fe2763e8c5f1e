"""What the contract test needs from the tests of each gateway: a visitor who plays the customer and the bank.

A gateway `acme` has a module `visitors/acme.py` with a context manager `visit(settings)`. It sets the gateway's keys,
starts a server that speaks the gateway's API if there is a network between, and yields the visitor.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from importlib import import_module
from typing import Any, NamedTuple, cast

import pytest

from payments.gateways.aftermath import DisputeState, RefundState
from payments.gateways.base import Subject

# The answers of a bank to a charge: it takes the money, there is not enough, the card is stolen, the customer must
# confirm.
ANSWERS = ("succeeds", "soft", "hard", "asks")


class Webhook(NamedTuple):
    """A webhook as it arrives: the raw body, the headers with lower-case names, and the sender's IP."""

    body: bytes
    headers: Mapping[str, str]
    address: str


class Visitor:
    """A customer on the gateway's page, with the powers of the gateway and the bank. All ids are the gateway's.

    Subclasses leave out what the contract test never calls for their gateway.
    """

    # What the gateway's webhooks are about; empty if it sends none. Without DISPUTE it tells of no disputes at all.
    tells: frozenset[Subject]
    # Whether the page stays open after a declined card, so that the customer may pay with another one. If not, a
    # declined payment has failed.
    may_try_again: bool
    # Whether there is a page of the bank for a charge that the customer must confirm. If not, it is declined.
    has_bank_page: bool

    def pay(self, gateway_id: str, *, amount: int | None = None) -> None:
        """Pay, by default the amount requested, otherwise so many minor units."""
        raise NotImplementedError

    def be_declined(self, gateway_id: str) -> None:
        """Try to pay with too little on the card, and give up. Never called for a gateway that staff record."""
        raise NotImplementedError

    def settle_refund(self, refund_id: str, state: RefundState) -> None:
        """Let a refund succeed or fail, if the gateway has not decided it at once."""
        raise NotImplementedError

    def refund_by_hand(self, gateway_id: str) -> str:
        """Refund the whole payment on the gateway's own pages and return the refund's id.

        Never called for a gateway that staff record, or that refunds nothing.
        """
        raise NotImplementedError

    def open_dispute(self, gateway_id: str) -> str:
        """Dispute the whole payment and return the dispute's id. Called only if it tells of disputes."""
        raise NotImplementedError

    def decide_dispute(self, dispute_id: str, state: DisputeState) -> None:
        """Let the seller win or lose. Called only if it tells of disputes."""
        raise NotImplementedError

    def forget_method(self, method_id: str) -> None:
        """Let the gateway stop keeping a method. Called only if the gateway saves methods."""
        raise NotImplementedError

    def save_method(self, setup_id: str) -> None:
        """Save a card on a page without a payment. Called only if the gateway has such pages."""
        raise NotImplementedError

    def fail_to_save(self, setup_id: str) -> None:
        """Try a card there that its bank refuses. Called only if the gateway has such pages."""
        raise NotImplementedError

    def pay_out(self, gateway_id: str) -> str:
        """Let the gateway pay out the money of this payment, and return the payout's id. Called only if it tells."""
        raise NotImplementedError

    def answer_charges(self, method_id: str, answer: str) -> None:
        """Let the bank of a kept method answer its next charges with one of ANSWERS. Called if it charges them."""

    def approve(self, gateway_id: str) -> None:
        """Confirm a charge on the bank's page. Called only if the gateway has such a page."""

    def webhook(self, subject: Subject, gateway_id: str, *, at: datetime) -> Webhook:
        """Return a webhook about an object, sent at that time. Called only for what it tells."""
        raise NotImplementedError

    def hanging(self, gateway_id: str) -> AbstractContextManager[None]:
        """Let the gateway answer nothing about this payment. Never called for a gateway that staff record."""
        raise NotImplementedError


def visit(gateway: str, settings: Any) -> AbstractContextManager[Visitor]:
    """Return the context of a visit to a gateway. A gateway without a visitor fails the contract."""
    try:
        module = import_module(f"tests.payments.gateways.visitors.{gateway}")
    except ModuleNotFoundError:
        pytest.fail(f"{gateway} has no visitor: write tests/payments/gateways/visitors/{gateway}.py")
    return cast(AbstractContextManager[Visitor], module.visit(settings))

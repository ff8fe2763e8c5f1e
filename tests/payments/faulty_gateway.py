"""A sandbox gateway whose answers fail on demand."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from django.db import connection

from payments.gateways.base import Capabilities, Gateway
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sessions import Session, SessionRequest, Snapshot, State


def lose_answer(patch: pytest.MonkeyPatch, gateway: type[Gateway], method: str) -> None:
    """Let a method of the gateway do what it is asked, and lose its answer."""
    plain = getattr(gateway, method)

    def lost(self: Gateway, *args: Any) -> Any:
        plain(self, *args)
        raise GatewayError("No answer.", permanent=False, code="timeout")

    patch.setattr(gateway, method, lost)


PATH = f"{__name__}.Unsteady"
CARD = f"{__name__}.Card"
EUROS = f"{__name__}.Euros"
DINARS = f"{__name__}.Dinars"
UNCLOSING = f"{__name__}.Unclosing"


class Unsteady(Sandbox):
    """Fails as its attributes say, and records whether a transaction was open at each call."""

    # How many calls of create_session fail before the session is created, and after.
    break_before: ClassVar[int] = 0
    break_after: ClassVar[int] = 0
    # Whether create_session refuses for good.
    refuse: ClassVar[bool] = False
    # How many calls of fetch fail.
    fetch_breaks: ClassVar[int] = 0
    # Whether fetch returns an unrecognised state.
    invents: ClassVar[bool] = False
    in_transaction: ClassVar[list[bool]] = []

    def create_session(self, request: SessionRequest) -> Session:
        cls = type(self)
        cls.in_transaction.append(connection.in_atomic_block)
        if cls.refuse:
            raise GatewayError("Not from you.", permanent=True, code="not_allowed")
        if cls.break_before:
            cls.break_before -= 1
            raise GatewayError("No answer.", permanent=False, code="timeout")
        session = super().create_session(request)
        if cls.break_after:
            cls.break_after -= 1
            raise GatewayError("Connection reset.", permanent=False, code="timeout")
        return session

    def fetch(self, gateway_id: str) -> Snapshot:
        cls = type(self)
        cls.in_transaction.append(connection.in_atomic_block)
        if cls.fetch_breaks:
            cls.fetch_breaks -= 1
            raise GatewayError("No answer.", permanent=False, code="timeout")
        if cls.invents:
            return Snapshot(gateway_id=gateway_id, state=State.UNRECOGNISED)
        return super().fetch(gateway_id)


class Card(Sandbox):
    """A second gateway, which shares the sandbox's pages."""

    name = "card"


class Euros(Sandbox):
    """Takes from 1.00 to 500.00 euros, keeps no methods, and has its page on another host."""

    name = "euros"

    @property
    def can(self) -> Capabilities:
        return replace(
            super().can, currencies={"EUR": (1_00, 500_00)}, saves_methods=False,
            form_targets=("https://pay.example",),
        )  # fmt: skip


class Dinars(Sandbox):
    """Takes up to 500.000 dinars in steps of 0.010."""

    name = "dinars"

    @property
    def can(self) -> Capabilities:
        return replace(super().can, currencies={"KWD": (10, 500_000)}, steps={"KWD": 10})


class Unclosing(Sandbox):
    """A gateway that cannot close its pages: they end by themselves."""

    name = "unclosing"

    @property
    def can(self) -> Capabilities:
        return replace(super().can, cancels_pages=False)

    def cancel(self, gateway_id: str) -> Snapshot:
        return self.fetch(gateway_id)

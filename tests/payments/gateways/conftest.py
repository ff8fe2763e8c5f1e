"""Fixtures of the contract test: each gateway in turn, its visitor, and a payment; and a server that drips."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings

from payments.gateways import registry
from payments.gateways.base import Gateway
from payments.gateways.sessions import SessionRequest
from tests.payments.gateways import example_gateway
from tests.payments.gateways.requests import session_request
from tests.payments.gateways.visitors import visitor as visitors
from tests.payments.gateways.visitors.visitor import Visitor

CLASSES = settings.GATEWAY_CLASSES | {"coins": example_gateway.PATH}


@pytest.fixture(params=sorted(CLASSES))
def name(request: pytest.FixtureRequest, settings: Any) -> str:
    settings.GATEWAY_CLASSES, settings.PAYMENT_GATEWAYS = CLASSES, [request.param]
    return str(request.param)


@pytest.fixture
def visitor(name: str, settings: Any) -> Iterator[Visitor]:
    with visitors.visit(name, settings) as visitor:
        yield visitor


@pytest.fixture
def gateway(name: str, visitor: Visitor) -> Gateway:
    return registry.get(name)


@pytest.fixture
def asked(gateway: Gateway) -> SessionRequest:
    """1,342.00 roubles, or the same number in another currency that the gateway takes."""
    currency = "RUB" if gateway.can.takes("RUB") else min(gateway.can.currencies)
    least, most = gateway.can.currencies[currency]
    return session_request(idempotency_key="pay_contract_1", currency=currency, amount=max(least, min(1342_00, most)))


@pytest.fixture
def paid(gateway: Gateway, visitor: Visitor, asked: SessionRequest) -> str:
    """Return the gateway's id of a paid payment."""
    gateway_id = gateway.create_session(asked).gateway_id
    visitor.pay(gateway_id)
    return gateway_id


@contextmanager
def drip(start: bytes) -> Iterator[str]:
    """Run a server that sends `start`, and then a byte every tenth of a second; yield its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(start)
            while not ended.wait(0.1):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    ended.set()
    thread.join(timeout=5)
    listener.close()


# What has come at once of an answer that drips: a good head, all of the status line, and a header in its middle.
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 600\r\n\r\n"
BEGINNINGS = {"body": HEAD, "status": b"HTTP/1.1", "header": HEAD[:-4] + b"\r\nX-Slow:"}


@pytest.fixture(params=BEGINNINGS)
def dripping(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a server whose answer comes byte by byte, each in time: from its body on, or from its head on."""
    with drip(BEGINNINGS[request.param]) as url:
        yield url

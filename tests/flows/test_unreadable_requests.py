"""Requests that the web server refuses before Django sees them get a problem too, and two keys are refused."""

import json
import socket

import pytest

from tests.conftest import PASSWORD
from tests.flows.site import Visitor

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_cannot_be_read_is_answered_with_a_problem(site):
    site.start_web()
    wrong = {
        b"GET /api/plans/?currency=" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n": (414, "uri_too_long"),
        b"GET /api/plans/ HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n": (431, "headers_too_large"),
        b"GET /api/plans/ HTTP/1.1\r\n" + b"X: y\r\n" * 70 + b"\r\n": (431, "headers_too_large"),
        b"GET /api/plans/ HTTP/1.1\r\nX Y: z\r\n\r\n": (400, "bad_request"),
        b"GET\r\n\r\n": (400, "bad_request"),
    }
    for request, (status, code) in wrong.items():
        answer = sent(site.port, request)
        head, _, _body = answer.partition("\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status} "), answer
        assert "Content-Type: application/problem+json" in head
        problem = json.loads(answer.partition("\r\n\r\n")[2])
        assert (problem["status"], problem["code"]) == (status, code)
        assert problem["type"] == f"/docs/errors/{code}"
        assert problem["detail"]
        assert problem["request_id"] in site.log("web")


def test_two_keys_of_one_request_are_refused(site, alice):
    site.start_web()
    token = Visitor(site).call("POST", "auth/token", username="alice", password=PASSWORD)["access"]
    body = '{"value": "500", "currency": "RUB"}'
    head = (
        f"POST /api/v1/payment HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nIdempotency-Key: first\r\nIdempotency-Key: second\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    answer = sent(site.port, (head + body).encode())
    assert answer.startswith("HTTP/1.1 400 "), answer
    assert '"code":"invalid_idempotency_key"' in answer


def sent(port: int, request: bytes) -> str:
    """Send these bytes and return all that comes back."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(request)
        while part := client.recv(65536):
            answer += part
    return answer.decode()

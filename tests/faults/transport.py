"""The way from a gateway's client to its fake, without a network: answers are lost at random, by a seed.

Everything above the connection is real: the SDK or client, `requests`, our deadline and guard. No test lives here.
"""

import io
from collections import Counter
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from django.db import connection
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from billing_site.local.fakes.faults import Fault
from billing_site.local.fakes.harness import Fake
from billing_site.local.fakes.server import Answer, Request

# The request arrives, but only after some others. Its key is in use until then, and nobody waits for its answer.
LATE = "late"
# What may happen to a request. All but a refusal with 429 leave its outcome open.
KINDS: tuple[Fault | str, ...] = (*(kind for kind in Fault if kind is not Fault.SLOW), LATE)
CLEAR = {Fault.RATE_LIMITED}
# A late request arrives after at most so many others.
LATEST = 12


class Transport(HTTPAdapter):
    """Gives requests to `fake`. Each of them fails with the probability `rate`, in a way drawn from `random`."""

    def __init__(self, fake: Fake, random: Random) -> None:
        super().__init__()
        self.fake, self.random, self.rate = fake, random, 0.0
        # How many requests failed, by kind.
        self.failed: Counter[str] = Counter()
        # How many calls were made while a transaction was open. There must be none.
        self.in_transaction = 0
        # Requests under way, each with the number of others that arrive before it.
        self._under_way: list[tuple[int, Request]] = []

    @property
    def ambiguous(self) -> int:
        """How many requests failed so that the caller could not know what has become of them."""
        return sum(self.failed.values()) - sum(self.failed[kind] for kind in CLEAR)

    def send(self, request: requests.PreparedRequest, *_args: Any, **_named: Any) -> requests.Response:
        """Answer a request as the fake does, or let it fail."""
        self.in_transaction += connection.in_atomic_block
        sent = _sent(request)
        self._let_arrive()
        key = self.fake.key_of(sent)
        if key and any(self.fake.key_of(other) == key for _, other in self._under_way):
            return self._response(request, self.fake.in_use())
        if self.random.random() >= self.rate:
            return self._answer(request, sent)
        kind = self.random.choice(KINDS)
        if kind == LATE and sent.method == "GET":
            kind = Fault.TIMEOUT_BEFORE
        self.failed[str(kind)] += 1
        if kind == LATE:
            self._under_way.append((self.random.randint(1, LATEST), sent))
            raise requests.ReadTimeout(request=request)
        self.fake.fault(kind, seconds=0.0)
        return self._answer(request, sent)

    def let_all_arrive(self) -> None:
        """Let everything that is under way arrive."""
        under_way, self._under_way = self._under_way, []
        for _, sent in under_way:
            self.fake.respond(sent)

    def _let_arrive(self) -> None:
        """Let those requests arrive for which it is time."""
        arrived = [sent for others, sent in self._under_way if others <= 1]
        self._under_way = [(others - 1, sent) for others, sent in self._under_way if others > 1]
        for sent in arrived:
            self.fake.respond(sent)

    def _answer(self, request: requests.PreparedRequest, sent: Request) -> requests.Response:
        answer = self.fake.respond(sent)
        if answer is None:
            raise requests.ReadTimeout(request=request)
        return self._response(request, answer)

    def _response(self, request: requests.PreparedRequest, answer: Answer) -> requests.Response:
        body = _CutBody(answer.body[: len(answer.body) // 2]) if answer.is_cut else io.BytesIO(answer.body)
        headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body)), **answer.headers}
        raw = HTTPResponse(
            body=body, headers=headers, status=answer.status, preload_content=False, request_method=request.method
        )
        return self.build_response(request, raw)


class _CutBody(io.BytesIO):
    """A body after which the connection is reset."""

    def read(self, size: int | None = -1, /) -> bytes:
        return _or_reset(super().read(size))

    def read1(self, size: int | None = -1, /) -> bytes:
        return _or_reset(super().read1(size))


def _or_reset(part: bytes) -> bytes:
    if not part:
        raise ConnectionResetError("Connection reset by peer")
    return part


def _sent(request: requests.PreparedRequest) -> Request:
    """Return a request as the fake's server reads it."""
    url = urlsplit(request.url or "")
    body = request.body or b""
    return Request(
        method=request.method or "",
        path=str(url.path),
        query=tuple(parse_qsl(str(url.query), keep_blank_values=True)),
        headers={name.lower(): _text(value) for name, value in request.headers.items()},
        body=body.encode() if isinstance(body, str) else body,
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value

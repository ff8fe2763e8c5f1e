"""What every fake gateway shares: a server on 127.0.0.1, faults on command, idempotency keys, its own clock.

A fake subclasses `Fake`, whose docstring says what to implement. The HTTP server with requests, answers and a simple
page is in server.py, the sender of webhooks in sender.py, the faults in faults.py. Nothing of one gateway is here.

In a test the fake runs in threads of the test's process, and the test calls its methods:

    with FakeAcme() as fake:
        fake.fault(Fault.TIMEOUT_AFTER, path="/v1/payments")
        ...use fake.url...

Another process commands it over HTTP: POST {url}/_control/<command> with a JSON object of the command's arguments, for
example `{"kind": "timeout_after", "path": "/v1/payments"}` to /_control/fault. `commands` lists what may be called.
"""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from billing_site.local.fakes.faults import Fault, PlannedFault, damaged, take
from billing_site.local.fakes.sender import Sender
from billing_site.local.fakes.server import Answer, Request, Server, as_json

CONTROL = "/_control/"


class Refused(Exception):
    """Raise it anywhere in `answer` to answer with an error. Give the `Answer`."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body.decode(errors="replace"))
        self.answer = answer


class Idempotency:
    """Answers by idempotency key. The gateway decides what a conflict and a mismatch look like."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[object, Answer | None]] = {}

    def begin(self, key: str, fingerprint: object, *, mismatch: Answer, in_use: Answer) -> Answer | None:
        """Return the saved answer of a key; None to do the request, whose key is then in use until save or drop.

        Raises Refused with `mismatch` if the key came with another fingerprint, with `in_use` if its first request has
        not ended yet.
        """
        known = self._answers.get(key)
        if known is None:
            self._answers[key] = (fingerprint, None)
            return None
        if known[0] != fingerprint:
            raise Refused(mismatch)
        if known[1] is None:
            raise Refused(in_use)
        return known[1]

    def save(self, key: str, answer: Answer) -> None:
        """Keep the answer for repetitions."""
        self._answers[key] = (self._answers[key][0], answer)

    def drop(self, key: str) -> None:
        """Forget a key whose request changed nothing, such as one with invalid parameters."""
        self._answers.pop(key, None)

    def forget(self) -> None:
        """Forget all keys, as gateways do after a day."""
        self._answers.clear()


class Fake:
    """A gateway's API on 127.0.0.1. Subclasses keep the gateway's objects and its money.

    To implement:
    `answer(request, idempotency)` does a request and returns the answer or raises Refused. It runs with `lock` held.
    `problem(status)` returns the gateway's own form of an error 429, 500 or 404 without more to say.
    `sign(body)` returns the headers with which the gateway sends a webhook with this body.
    `key_of(request)` returns the idempotency key of a request, "" for none.
    `mismatch()` and `in_use()` return the answers to a key that came with another body, or whose request still runs.
    """

    def __init__(self, *, port: int = 0, webhook_url: str = "") -> None:
        """Listen on `port`, 0 for any. Webhooks go to `webhook_url`; without it they are only recorded."""
        # Guards everything that the fake keeps. Never held while a fault waits.
        self.lock = threading.RLock()
        self.idempotency = Idempotency()
        self.webhooks = Sender(self.sign, url=webhook_url)
        # Every request that came in, control calls and pages excepted, for tests to look at.
        self.requests: list[Request] = []
        # Errors in the fake itself. A test should find none.
        self.crashes: list[BaseException] = []
        self.commands: dict[str, Callable[..., Any]] = {
            "fault": self.fault,
            "clear_faults": self.clear_faults,
            "forget_keys": self.forget_keys,
            "advance": self.advance,
            "hold_webhooks": self.webhooks.hold,
            "release_webhooks": self.webhooks.release,
        }
        self._faults: list[PlannedFault] = []
        self._ahead = 0.0
        self._stopping = threading.Event()
        self._server = Server(port, self.respond)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    # --- For subclasses ---

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError

    def problem(self, status: int) -> Answer:
        raise NotImplementedError

    def sign(self, body: bytes) -> dict[str, str]:
        raise NotImplementedError

    def key_of(self, request: Request) -> str:
        return ""

    def mismatch(self) -> Answer:
        return self.problem(400)

    def in_use(self) -> Answer:
        return self.problem(409)

    def replayed(self, answer: Answer) -> Answer:
        """Return a saved answer as the gateway repeats it."""
        return answer

    # --- For tests and the control call ---

    @property
    def url(self) -> str:
        """Where it listens, such as http://127.0.0.1:8765."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def now(self) -> float:
        """Return the fake's own time, in seconds since 1970: the machine's, and what `advance` has added."""
        return time.time() + self._ahead

    def advance(self, *, seconds: float) -> None:
        """Put the fake's clock forward."""
        self._ahead += seconds

    def fault(self, kind: str, *, path: str = "", method: str = "", times: int = 1, seconds: float = 30.0) -> None:
        """Plan a fault; see PlannedFault. Faults apply in the order in which they were planned."""
        with self.lock:
            self._faults.append(PlannedFault(Fault(kind), path, method.upper(), times, seconds))

    def clear_faults(self) -> None:
        """Drop the planned faults that have not come up."""
        with self.lock:
            self._faults.clear()

    @contextmanager
    def hanging(self, path: str) -> Iterator[None]:
        """Give no answer to requests whose path contains `path`, within this block."""
        self.fault(Fault.TIMEOUT_BEFORE, path=path, times=100)
        yield
        self.clear_faults()

    def forget_keys(self) -> None:
        """Forget all idempotency keys, as after a day."""
        with self.lock:
            self.idempotency.forget()

    def start(self) -> None:
        """Begin to answer and to send webhooks, in threads."""
        self._thread.start()
        self.webhooks.start()

    def stop(self) -> None:
        """Stop; requests that hang are let go."""
        self._stopping.set()
        self.webhooks.stop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def serve(self) -> None:
        """Run until SIGTERM or SIGINT. For a fake that is a process of its own."""
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        self.start()
        ended.wait()
        self.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- One request ---

    def respond(self, request: Request) -> Answer | None:
        """Return the answer to a request, None to close the connection without one."""
        try:
            if request.path.startswith(CONTROL):
                return self._control(request)
            with self.lock:
                self.requests.append(request)
                fault = take(self._faults, request)
            return self._respond(request, fault)
        except Refused as refused:
            return refused.answer
        except Exception as error:  # noqa: BLE001 - the fake's own mistake, which the test must see
            self.crashes.append(error)
            return Answer(status=500, body=repr(error).encode(), content_type="text/plain")

    def _respond(self, request: Request, fault: PlannedFault) -> Answer | None:
        kind = fault.kind if fault.times else None
        if kind is Fault.TIMEOUT_BEFORE:
            self._stopping.wait(fault.seconds)
            return None
        if kind is Fault.RATE_LIMITED:
            return self.problem(429)
        if kind is Fault.ERROR_BEFORE:
            return self.problem(500)
        answer = self._once(request, fault)
        match kind:
            case Fault.TIMEOUT_AFTER:
                self._stopping.wait(fault.seconds)
                return None
            case Fault.ERROR_AFTER | Fault.ERROR_SAVED:
                return self.problem(500)
        return damaged(answer, kind)

    def _once(self, request: Request, fault: PlannedFault) -> Answer:
        """Do a request, once for each idempotency key."""
        key, is_slow = self.key_of(request), fault.times and fault.kind is Fault.SLOW
        if key:
            with self.lock:
                fingerprint = (request.method, request.path, request.body)
                saved = self.idempotency.begin(key, fingerprint, mismatch=self.mismatch(), in_use=self.in_use())
            if saved is not None:
                return self.replayed(saved)
        if is_slow:
            self._stopping.wait(fault.seconds)
        with self.lock:
            try:
                answer = self.answer(request)
            except BaseException:
                # Nothing was changed, so the gateway does not remember the key.
                self.idempotency.drop(key)
                raise
            if key:
                is_error = fault.times and fault.kind is Fault.ERROR_SAVED
                self.idempotency.save(key, self.problem(500) if is_error else answer)
        return answer

    def _control(self, request: Request) -> Answer:
        """Do a command. Only JSON is taken, so that no page in a browser can send one."""
        command = self.commands.get(request.path.removeprefix(CONTROL))
        if command is None or request.method != "POST" or request.headers.get("content-type") != "application/json":
            return as_json({"error": f"POST JSON to one of {', '.join(sorted(self.commands))}"}, status=404)
        try:
            return as_json({"result": command(**json.loads(request.body or b"{}"))})
        except (TypeError, ValueError, LookupError) as error:
            return as_json({"error": repr(error)}, status=400)

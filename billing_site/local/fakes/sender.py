"""Sends a fake gateway's webhooks over HTTP until they are answered with 2xx; on command late, twice, out of order."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import requests

# Waits after the first, second, ... failed try, in seconds; after the last one it gives up.
BACK_OFF = (1, 2, 5, 15, 60, 300)
TIMEOUT = (2.0, 10.0)


@dataclass
class Delivery:
    """One webhook: its body, when it is due next, and the answers so far (a status, or the name of an exception)."""

    body: bytes
    due: float
    tries: list[str] = field(default_factory=list)
    # Nothing more to do: delivered, or given up.
    is_done: bool = False


class Sender:
    """Signs and sends webhooks in a thread of its own. `deliveries` has all of them, also where there is no URL."""

    def __init__(self, sign: Callable[[bytes], dict[str, str]], *, url: str = "") -> None:
        self.url, self.deliveries = url, list[Delivery]()
        self._sign = sign
        self._held: list[bytes] | None = None
        self._changed = threading.Condition()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def send(self, body: bytes, *, copies: int = 1) -> None:
        """Send a webhook with this body, `copies` times. It is signed anew for each try."""
        with self._changed:
            if self._held is not None:
                self._held.append(body)
                return
            self.deliveries += [Delivery(body, time.monotonic()) for _ in range(copies)]
            self._changed.notify_all()

    def hold(self) -> None:
        """Keep the webhooks from now on back until `release`."""
        with self._changed:
            self._held = [] if self._held is None else self._held

    def release(self, *, order: str = "same", copies: int = 1, drop: bool = False) -> None:
        """Send what was held back: in the `same` order, `reversed` or `shuffled`, each so many times; or drop it."""
        with self._changed:
            bodies, self._held = self._held or [], None
        if order == "reversed":
            bodies.reverse()
        elif order == "shuffled":
            random.shuffle(bodies)
        for body in [] if drop else bodies:
            self.send(body, copies=copies)

    def settle(self, *, seconds: float = 10.0) -> None:
        """Wait until nothing is left to send. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: all(each.is_done for each in self.deliveries), timeout=seconds):
                raise TimeoutError("Webhooks are still not delivered.")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop sending; a try under way is ended by its time-out."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        self._thread.join(timeout=sum(TIMEOUT))

    def _run(self) -> None:
        while (delivery := self._next()) is not None:
            answer = self._try(delivery.body)
            with self._changed:
                delivery.tries.append(answer)
                delivery.due = time.monotonic() + BACK_OFF[min(len(delivery.tries), len(BACK_OFF)) - 1]
                delivery.is_done = answer.startswith("2") or len(delivery.tries) > len(BACK_OFF)
                self._changed.notify_all()

    def _next(self) -> Delivery | None:
        """Wait for a delivery that is due and return it; None to stop."""
        with self._changed:
            while not self._is_stopping:
                open_ones = [each for each in self.deliveries if not each.is_done] if self.url else []
                first = min(open_ones, key=lambda each: each.due, default=None)
                wait = None if first is None else first.due - time.monotonic()
                if first is not None and wait is not None and wait <= 0:
                    return first
                self._changed.wait(wait)
        return None

    def _try(self, body: bytes) -> str:
        headers = {"Content-Type": "application/json", **self._sign(body)}
        try:
            answer = requests.post(self.url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            return type(error).__name__
        return str(answer.status_code)

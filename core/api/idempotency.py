"""`Idempotency-Key`: a money-moving request that is sent again gets the first one's answer and moves nothing.

The key protects the answer. What protects the money is a key made from the cause, in the ledger: a view passes
`self.idempotency_key` on, so that a request whose process died after the work was done and
before the answer was kept finds that work again instead of doing it twice. What was asked for is kept with that work
(core.idempotency), so that no other request finds it, however long after.
"""

import json
import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.renderers import JSONRenderer
from core.errors import DomainError
from core.idempotency import KeyReused, fingerprint, key_of
from core.models import IdempotencyKey

KEPT_FOR = timedelta(days=30)
# A claim this old belongs to a process that died, or was let go: the same request, sent again, takes it over.
TAKEN_OVER_AFTER = timedelta(seconds=60)
PRINTABLE = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")

# One statement, so that of any number of requests exactly one gets a row back.
CLAIM = """
    INSERT INTO core_idempotencykey AS held (user_id, key, fingerprint, created_at)
    VALUES (%(user)s, %(key)s, %(fingerprint)s, %(now)s)
    ON CONFLICT (user_id, key) DO UPDATE
       SET fingerprint = excluded.fingerprint, created_at = excluded.created_at, status = NULL, body = NULL
     WHERE held.created_at < %(forgotten)s
        OR (held.status IS NULL AND held.created_at < %(dead)s AND held.fingerprint = excluded.fingerprint)
    RETURNING id
"""


class InvalidKey(DomainError):
    """Not 1 to 255 printable ASCII characters."""

    code = "invalid_idempotency_key"
    param = "Idempotency-Key"


class KeyInUse(DomainError):
    """The first request with this key has not been answered yet."""

    code = "idempotency_key_in_use"
    param = "Idempotency-Key"


class Claim(NamedTuple):
    """The right to answer for a key, until `claimed_at` + TAKEN_OVER_AFTER."""

    id: int
    claimed_at: datetime


class Replay(Exception):
    """Ends a request before its view runs: the answer is known."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status, self.body = status, body


class Idempotent:
    """Put before APIView in the bases of a view: its POST honours `Idempotency-Key`."""

    idempotency_key: str | None = None
    _claim: Claim | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Claim the key once the caller is known and may call; raises Replay when the answer is known."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        key = request.headers.get("Idempotency-Key")
        if request.method == "POST" and key is not None:
            mark = fingerprint(method=request.method, path=request.path.rstrip("/"), body=request.data)
            self._claim = claim(int(request.user.pk or 0), key=key, fingerprint=mark, now=timezone.now())
            self.idempotency_key = key_of("api", key)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer a replay; let go of the key when the view broke, or found that it belongs to another request."""
        if isinstance(exc, Replay):
            kind = "application/json" if exc.status < 400 else "application/problem+json"
            return Response(exc.body, exc.status, headers={"Idempotent-Replayed": "true"}, content_type=kind)
        if isinstance(exc, KeyReused) and self._claim:
            _ours(self._claim).delete()
            self._claim = None
        try:
            return super().handle_exception(exc)  # type: ignore[misc, no-any-return]
        except Exception:
            if self._claim:
                release(self._claim)
            raise

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Keep the answer, unless it is one that the same request may change by being sent again."""
        if self._claim:
            again = response.status_code >= 500 or response.status_code in (409, 429)
            release(self._claim) if again else keep(self._claim, response.status_code, response.data)
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc, no-any-return]


def claim(user_id: int, *, key: str, fingerprint: str, now: datetime) -> Claim:
    """Take the key for this request. Raises Replay, KeyInUse, KeyReused or InvalidKey."""
    if not PRINTABLE.fullmatch(key):
        raise InvalidKey(_("An Idempotency-Key is 1 to 255 printable ASCII characters; you sent %d.") % len(key))
    values: dict[str, Any] = {"user": user_id, "key": key, "fingerprint": fingerprint, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {**values, "forgotten": now - KEPT_FOR, "dead": now - TAKEN_OVER_AFTER})
        row = cursor.fetchone()
    if row:
        return Claim(row[0], now)
    held = IdempotencyKey.objects.filter(user_id=user_id, key=key).first()
    if held and held.fingerprint != fingerprint:
        raise KeyReused
    if held is None or held.status is None:
        raise KeyInUse(_("The first request with this Idempotency-Key is still running."), retry_after=1)
    raise Replay(held.status, held.body)


def keep(claim: Claim, status: int, data: Any) -> None:
    """Store the answer, if the claim is still ours."""
    body = json.loads(JSONRenderer().render(data) or b"null")
    _ours(claim).update(status=status, body=body)


def release(claim: Claim) -> None:
    """Let the same request, and no other, take the key over at once."""
    _ours(claim).update(created_at=claim.claimed_at - TAKEN_OVER_AFTER - timedelta(microseconds=1))


def forget(*, now: datetime) -> int:
    """Delete the keys older than KEPT_FOR. Returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=now - KEPT_FOR).delete()[0]


def _ours(claim: Claim) -> Any:
    return IdempotencyKey.objects.filter(id=claim.id, created_at=claim.claimed_at, status=None)

"""The `Idempotency-Key` header: a repeated request gets the first answer and moves no money.

The stored key protects the answer. A second key, stored with the row that the request made, protects the money: a view
passes `self.idempotency_key` on, so that if its process died after the work but before storing the answer, the repeated
request finds that work instead of doing it twice. The row keeps the request's fingerprint too (core.idempotency), so
that a different request never finds it, however much later. A request that makes no row, such as a change of plan,
calls `self.is_first_time` in the transaction of its change instead. For thirty days the repeated request then changes
nothing and answers with the state as it is now.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.renderers import JSONRenderer
from core.deletion import delete
from core.errors import DomainError
from core.idempotency import KeyReused, fingerprint, key_of
from core.models import IdempotencyKey

log = structlog.get_logger(__name__)

KEPT_FOR = timedelta(days=30)
# An unanswered claim this old belongs to a process that hangs. The same request may take it over. It may do so at once
# when the database session that claimed it has ended: its process died, or the database restarted.
TAKEN_OVER_AFTER = timedelta(seconds=60)
# The number of the session of a released claim. No session has it, so that the claim has ended.
RELEASED = 0
# No comma: servers and proxies join two headers of one name with it, so a key with a comma may be two keys.
KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]([\x20-\x2b\x2d-\x7e]{0,253}[\x21-\x2b\x2d-\x7e])?")
METHODS = ("POST", "PATCH", "DELETE")
# The same request may succeed when it is sent again: after a top-up, in another state, or later.
PASSING = (402, 409, 429)

# Times are the database's: the clocks of the machines that serve requests may differ, and one of them may jump.
# One statement, so that exactly one of any number of requests gets a row back. PostgreSQL lists the sessions once for
# each transaction; it is read again for the row in question, whose session may be newer. A session of another role
# has no start that we may see; its number then counts alone.
CLAIM = """
    INSERT INTO core_idempotencykey AS held (user_id, key, fingerprint, created_at, session_pid, session_started_at)
    SELECT %(user)s, %(key)s, %(fingerprint)s, statement_timestamp(), own.pid, own.backend_start
      FROM pg_stat_get_activity(pg_backend_pid()) AS own
    ON CONFLICT (user_id, key) DO UPDATE
       SET fingerprint = excluded.fingerprint, created_at = excluded.created_at, status = NULL, body = NULL,
           session_pid = excluded.session_pid, session_started_at = excluded.session_started_at,
           is_carried_out = held.is_carried_out AND held.created_at >= statement_timestamp() - %(kept_for)s
     WHERE held.created_at < statement_timestamp() - %(kept_for)s
        OR (held.status IS NULL AND held.fingerprint = excluded.fingerprint
            AND (held.created_at < statement_timestamp() - %(taken_over_after)s
                 OR held.session_pid IS NOT NULL AND NOT EXISTS (
                     SELECT FROM pg_stat_clear_snapshot() AS fresh,
                         LATERAL pg_stat_get_activity(CASE WHEN fresh::text = '' THEN held.session_pid END) AS session
                      WHERE coalesce(session.backend_start = held.session_started_at, TRUE))))
    RETURNING id, created_at
"""


class InvalidKey(DomainError):
    """The key is not 1 to 255 printable ASCII characters without commas, or the request has two."""

    code = "invalid_idempotency_key"
    param = "Idempotency-Key"


class KeyRequired(DomainError):
    """The request has no key, and sent twice it would move money twice."""

    code = "idempotency_key_required"
    param = "Idempotency-Key"


class KeyInUse(DomainError):
    """The first request with this key is still running."""

    code = "idempotency_key_in_use"
    param = "Idempotency-Key"


class Claim(NamedTuple):
    """The right to answer for a key. It lasts until `claimed_at`, by the database's clock, + TAKEN_OVER_AFTER."""

    id: int
    claimed_at: datetime


class Replay(Exception):
    """Raised before the view runs, when the answer is already stored."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status, self.body = status, body


class Idempotent:
    """Mixin for API views, placed before APIView: POST, PATCH and DELETE honour `Idempotency-Key`."""

    # True for a view whose POST calls `require_key`, because it would move money once more without a key.
    is_key_required = False
    idempotency_key: str | None = None
    _claim: Claim | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Claim the key after authentication, permissions and throttling; raise Replay if the answer is stored."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        key = request.headers.get("Idempotency-Key")
        if key is not None and request.method in METHODS and hasattr(self, request.method.lower()):
            digest = fingerprint(method=request.method, path=request.path.rstrip("/"), body=request.data)
            self._claim = claim(int(request.user.pk or 0), key=key, fingerprint=digest)
            self.idempotency_key = key_of("api", key)

    def require_key(self) -> str:
        """Return the stored form of the key; raise KeyRequired without one."""
        if self.idempotency_key is None:
            text = _("Send an Idempotency-Key, for example a UUID, so that a request sent twice moves the money once.")
            raise KeyRequired(text)
        return self.idempotency_key

    def is_first_time(self) -> bool:
        """Record that the request is carried out, and return whether it was not before.

        Call it in the transaction of the change, so that both happen or neither.
        """
        if self._claim is None:
            return True
        return bool(IdempotencyKey.objects.filter(id=self._claim.id, is_carried_out=False).update(is_carried_out=True))

    def handle_exception(self, exc: Exception) -> Response:
        """Send a stored answer; release the key if the view crashed, delete it if it belongs to another request."""
        if isinstance(exc, Replay):
            media_type = "application/json" if exc.status < 400 else "application/problem+json"
            return Response(exc.body, exc.status, headers={"Idempotent-Replayed": "true"}, content_type=media_type)
        if isinstance(exc, KeyReused) and self._claim:
            _rows_of(self._claim).delete()
            self._claim = None
        try:
            return super().handle_exception(exc)  # type: ignore[misc, no-any-return]
        except Exception:
            if self._claim:
                _or_end_the_session(release, self._claim)
            raise

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Store the answer, unless the same request may succeed when sent again (402, 409, 429, 5xx)."""
        if self._claim:
            may_change = response.status_code >= 500 or response.status_code in PASSING
            if may_change:
                _or_end_the_session(release, self._claim)
            else:
                _or_end_the_session(keep, self._claim, response.status_code, response.data)
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc, no-any-return]


def claim(user_id: int, *, key: str, fingerprint: str) -> Claim:
    """Claim the key for this request; raise Replay, KeyInUse, KeyReused or InvalidKey."""
    if "," in key:
        raise InvalidKey(_("Send one Idempotency-Key, without commas: two headers arrive as one with a comma."))
    if not KEY.fullmatch(key):
        raise InvalidKey(_("An Idempotency-Key has 1 to 255 printable ASCII characters. You sent %d.") % len(key))
    times = {"kept_for": KEPT_FOR, "taken_over_after": TAKEN_OVER_AFTER}
    values: dict[str, Any] = {"user": user_id, "key": key, "fingerprint": fingerprint, **times}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        row = cursor.fetchone()
    if row:
        return Claim(*row)
    existing = IdempotencyKey.objects.filter(user_id=user_id, key=key).first()
    if existing and existing.fingerprint != fingerprint:
        raise KeyReused
    if existing is None or existing.status is None:
        raise KeyInUse(_("The first request with this Idempotency-Key is still running."), retry_after=1)
    raise Replay(existing.status, existing.body)


def keep(claim: Claim, status: int, data: Any) -> None:
    """Store the answer, unless another request has taken the claim over."""
    body = json.loads(JSONRenderer().render(data) or b"null")
    _rows_of(claim).update(status=status, body=body)


def release(claim: Claim) -> None:
    """Let the same request, and only that one, take the key over at once."""
    _rows_of(claim).update(session_pid=RELEASED, session_started_at=None)


def _or_end_the_session(change: Callable[..., None], *arguments: Any) -> None:
    """Store the answer or release the key. If the database is out of reach, close the session, which releases the key.

    The answer is right in both cases: an answer that could not be stored is found again by the second key.
    """
    try:
        change(*arguments)
    except (DatabaseError, InterfaceError) as error:
        log.warning("idempotency_key_not_closed", error=type(error).__name__)
        connection.close()


def forget() -> int:
    """Delete the keys older than KEPT_FOR by the database's clock and return how many."""
    return delete(IdempotencyKey.objects.filter(created_at__lt=Now() - KEPT_FOR))


def _rows_of(claim: Claim) -> Any:
    """Return a queryset of the claim's row, empty if the claim was taken over or answered."""
    return IdempotencyKey.objects.filter(id=claim.id, created_at=claim.claimed_at, status=None)

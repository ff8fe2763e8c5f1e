"""Error reports to Sentry, or to any server that speaks its protocol. Loaded only if SENTRY_DSN is set.

Personal data stays here: no user, address, cookie, header, body, query, local variable or argument of a query, of a
task or of the command line is sent; of a log line only some fields; and what is sent has no secrets and no rows that
PostgreSQL quotes (billing_site.redaction).
"""

from collections.abc import Mapping
from typing import Any, cast

import sentry_sdk
from django.conf import settings
from sentry_sdk.types import Event, Hint

from billing_site.redaction import without_secrets

# The parts of an event that say who called and what they sent.
PERSONAL = ("user", "request", "server_name", "breadcrumbs", "extra")
# The fields of a log line that are sent with it. Any other may have a value from outside.
SENT = ("event", "method", "route", "request_id", "task", "task_id", "error")


def start() -> None:
    """Report errors of this process from now on."""
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        environment=settings.SENTRY_ENVIRONMENT,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=settings.SENTRY_TRACES,
        before_send=stripped,
        before_send_transaction=stripped,
    )


def stripped(event: Event, hint: Hint) -> Event:
    """Return an event without personal data and secrets. Its transaction is the route of the request, not the path."""
    for name in PERSONAL:
        event.pop(name, None)  # type: ignore[misc]
    if "logentry" in event:
        event["logentry"] = {"message": _line(event["logentry"], hint)}
    spans: Any = event.get("spans") or []
    for span in spans:
        # Queries and addresses may contain values.
        span.pop("description", None)
        span.pop("data", None)
    return cast(Event, without_secrets(event))


def _line(entry: Any, hint: Hint) -> str:
    """Return what is sent of a log line: the fields that may be, or the words of a library without their arguments."""
    record = hint.get("log_record")
    said = entry.get("message", "") if record is None else record.msg
    if isinstance(said, Mapping):
        return " ".join(f"{name}={said[name]}" if name != "event" else str(said[name]) for name in SENT if name in said)
    return str(said)

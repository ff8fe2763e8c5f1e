"""Error reports to Sentry, or to any server that speaks its protocol. Loaded only if SENTRY_DSN is set.

Personal data stays here: no user, address, cookie, header, body, query, local variable or argument of a query is sent,
and what is sent has no secrets (billing_site.redaction).
"""

from typing import Any, cast

import sentry_sdk
from django.conf import settings
from sentry_sdk.types import Event, Hint

from billing_site.redaction import without_secrets

# The parts of an event that say who called and what they sent.
PERSONAL = ("user", "request", "server_name", "breadcrumbs")


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
    spans: Any = event.get("spans") or []
    for span in spans:
        # Queries and addresses may contain values.
        span.pop("description", None)
        span.pop("data", None)
    return cast(Event, without_secrets(event))

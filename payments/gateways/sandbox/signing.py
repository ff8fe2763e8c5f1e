"""Signatures of the sandbox's webhooks, as https://www.standardwebhooks.com writes them.

SANDBOX_WEBHOOK_SECRET may hold several secrets with spaces between: the first signs, each of them is accepted, so
that a secret can be changed without losing a webhook.
"""

import binascii
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from standardwebhooks import Webhook, WebhookVerificationError

from payments.gateways.base import BadWebhook

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def secrets() -> list[str]:
    return str(settings.SANDBOX_WEBHOOK_SECRET).split()


def problems() -> list[str]:
    """Say why the secrets cannot be used: none, or not the base64 of 24 bytes at least."""
    if not secrets():
        return ["SANDBOX_WEBHOOK_SECRET is blank: anybody could send us webhooks"]
    return [] if all(_size(secret) >= 24 for secret in secrets()) else [
        "SANDBOX_WEBHOOK_SECRET must be whsec_ and the base64 of at least 24 random bytes"
    ]  # fmt: skip


def sign(event_id: str, body: str, *, now: datetime) -> dict[str, str]:
    """Return the three headers of a webhook with that body, sent now."""
    signature = Webhook(secrets()[0]).sign(msg_id=event_id, timestamp=now, data=body)
    return dict(zip(HEADERS, (event_id, str(int(now.timestamp())), signature), strict=True))


def verify(body: bytes, headers: Mapping[str, str]) -> str:
    """Return the id of a webhook signed with one of our secrets within 300 s of now; raise BadWebhook."""
    mine = {name: headers.get(name, "") for name in HEADERS}
    for secret in secrets():
        try:
            Webhook(secret).verify(body, mine, json_parse=False)
        except (WebhookVerificationError, ValueError):
            # The library leaves half-written signatures and bytes that are no text to ValueError.
            continue
        return mine["webhook-id"]
    raise BadWebhook("The signature is not good.")


def _size(secret: str) -> int:
    try:
        return len(binascii.a2b_base64(secret.removeprefix("whsec_"), strict_mode=True))
    except (binascii.Error, ValueError):
        return 0

"""Webhooks coming in: verified over the raw body, stored once, and that is all. payments.inbox does the rest."""

from collections.abc import Mapping
from datetime import datetime

from django.db import DataError, transaction

from payments.gateways import registry
from payments.gateways.base import BadWebhook
from payments.models import WebhookEvent

# Bytes read before anything else is done with them.
LARGEST_BODY = 256 * 1024


def receive(gateway: str, *, body: bytes, headers: Mapping[str, str], now: datetime) -> WebhookEvent:
    """Store what the gateway says and return it as stored; the same event again gives the first row.

    `headers` have lower-case names. Nothing is stored of what raises: UnknownGateway, BadWebhook.
    """
    said = registry.get(gateway).parse_webhook(body, headers)
    if not 0 < len(said.event_id) <= 120 or len(said.type) > 80 or len(said.gateway_id) > 120:
        raise BadWebhook("An id is missing or too long.")
    event = WebhookEvent(
        gateway=gateway,
        event_id=said.event_id,
        type=said.type,
        gateway_id=said.gateway_id,
        payload=said.payload,
        received_at=now,
        next_try_at=now,
    )
    try:
        with transaction.atomic():
            WebhookEvent.objects.bulk_create([event], ignore_conflicts=True)
    except (DataError, ValueError) as error:
        # Signed, and yet no text that can be stored: NUL, half a surrogate pair.
        raise BadWebhook("The body has characters that cannot be stored.") from error
    return WebhookEvent.objects.get(gateway=gateway, event_id=said.event_id)

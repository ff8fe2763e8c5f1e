"""The webhook endpoint: read the raw body, have the gateway verify it, store the event, start its processing."""

from collections.abc import Mapping
from datetime import datetime

from django.db import DataError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.addresses import client_address
from payments import tasks
from payments.gateways import registry
from payments.gateways.errors import BadWebhook, ForeignWebhook
from payments.gateways.registry import UnknownGateway
from payments.models import WebhookEvent

# The largest body accepted, in bytes. It is enforced before anything is parsed.
LARGEST_BODY = 256 * 1024


class TooLarge(Exception):
    """The body, or its Content-Length, is over the limit."""


@csrf_exempt
@require_POST
@transaction.non_atomic_requests
def webhook(request: HttpRequest, gateway: str) -> HttpResponse:
    """Store an event and answer 200 once it is committed.

    Answer 404 for an unknown gateway, 413 for a body that is too large, 400 if it is not from the gateway.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        body = raw_body(request, largest=LARGEST_BODY)
        event = receive(gateway, body=body, headers=headers, address=client_address(request), now=timezone.now())
    except UnknownGateway as error:
        raise Http404 from error
    except TooLarge:
        return HttpResponse(status=413)
    except ForeignWebhook:
        # Rightly signed, so the gateway would send it again for days; but not about us.
        return HttpResponse(status=200)
    except BadWebhook:
        return HttpResponse(status=400)
    if event.next_try_at:
        tasks.process_webhook.delay(event.pk, event.gateway)
    return HttpResponse(status=200)


def receive(gateway: str, *, body: bytes, headers: Mapping[str, str], address: str, now: datetime) -> WebhookEvent:
    """Store the gateway's event and return its row; the same event again returns the first row.

    The names in `headers` are lower case; `address` is the sender's IP. Raises UnknownGateway or BadWebhook, and then
    stores nothing.
    """
    notification = registry.get(gateway).parse_webhook(body, headers, address=address)
    if not 0 < len(notification.event_id) <= 120 or len(notification.type) > 80 or len(notification.gateway_id) > 120:
        raise BadWebhook("An id is missing or too long.")
    event = WebhookEvent(
        gateway=gateway,
        event_id=notification.event_id,
        type=notification.type,
        subject=notification.subject or "",
        gateway_id=notification.gateway_id,
        payload=notification.payload,
        received_at=now,
        next_try_at=now,
    )
    try:
        with transaction.atomic():
            WebhookEvent.objects.bulk_create([event], ignore_conflicts=True)
    except (DataError, ValueError) as error:
        # The signature is valid, but PostgreSQL cannot store NUL or half a surrogate pair.
        raise BadWebhook("The body has characters that cannot be stored.") from error
    return WebhookEvent.objects.get(gateway=gateway, event_id=notification.event_id)


def raw_body(request: HttpRequest, *, largest: int) -> bytes:
    """Return the body as sent, reading at most `largest` bytes; raise TooLarge for a longer one."""
    announced = request.headers.get("Content-Length") or "0"
    if not announced.isdecimal() or int(announced) > largest:
        raise TooLarge
    body = request.read(largest + 1)
    if len(body) > largest:
        raise TooLarge
    return body

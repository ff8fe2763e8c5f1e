"""Reading a request's raw body without ever holding more of it than allowed."""

from collections.abc import Mapping
from datetime import datetime

from django.db import DataError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from payments import tasks
from payments.gateways import registry
from payments.gateways.base import BadWebhook
from payments.gateways.registry import UnknownGateway
from payments.models import WebhookEvent


class TooLarge(Exception):
    """More bytes than the limit, announced or sent."""


def raw_body(request: HttpRequest, *, largest: int) -> bytes:
    """Return the body as sent, byte for byte; raise TooLarge before anything of it is parsed."""
    announced = request.headers.get("Content-Length") or "0"
    if not announced.isdecimal() or int(announced) > largest:
        raise TooLarge
    body = request.read(largest + 1)
    if len(body) > largest:
        raise TooLarge
    return body


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


@csrf_exempt
@require_POST
@transaction.non_atomic_requests
def webhook(request: HttpRequest, gateway: str) -> HttpResponse:
    """Answer 200 when the event is committed: 404 no such gateway, 413 too large, 400 not from the gateway."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        body = raw_body(request, largest=LARGEST_BODY)
        event = receive(gateway, body=body, headers=headers, now=timezone.now())
    except UnknownGateway as error:
        raise Http404 from error
    except TooLarge:
        return HttpResponse(status=413)
    except BadWebhook:
        return HttpResponse(status=400)
    if event.next_try_at:
        tasks.process_webhook.delay(event.pk)
    return HttpResponse(status=200)

"""The sandbox's webhooks: signing and verifying them, and sending them over real HTTP until they are answered with 2xx.

They are signed as Standard Webhooks specifies (standardwebhooks.com).
"""

import binascii
import json
from collections.abc import Mapping
from datetime import datetime, timedelta

import requests
import structlog
from django.conf import settings
from django.db import transaction
from standardwebhooks import Webhook, WebhookVerificationError

from payments.gateways.errors import BadWebhook
from payments.gateways.sandbox.models import SandboxDelivery, SandboxSession

log = structlog.get_logger(__name__)

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
# Waits after the first, second, ... failed try; the last one repeats.
BACK_OFF = [timedelta(seconds=s) for s in (2, 5, 15, 60, 300, 1800, 3600)]
GIVE_UP_AFTER = timedelta(hours=72)
# Seconds to connect and to read.
TIMEOUT = (2.0, 10.0)
# A claim lasts this long. If its worker dies, the delivery becomes due again.
LEASE = timedelta(seconds=30)
# The most deliveries that one run sends.
BATCH = 50


def schedule(session: SandboxSession, kind: str, object_id: str, *, at: datetime, event_id: str = "") -> str:
    """Save a webhook such as `refund.failed` about an object, to be sent at that time; return the id of its event."""
    named = {"event_id": event_id} if event_id else {}
    delivery = SandboxDelivery.objects.create(
        session=session, type=kind, object_id=object_id, due_at=at, next_try_at=at, **named
    )
    return delivery.event_id


def withdraw(object_id: str, *, after: datetime) -> None:
    """Forget the webhooks about an object that were to be sent later than `after`."""
    SandboxDelivery.objects.filter(object_id=object_id, due_at__gt=after).delete()


def deliver_due(*, now: datetime, **which: object) -> int:
    """Send the deliveries that are due and match the filters `which`; return how many were tried.

    Any number of workers may run this at the same time.
    """
    for done in range(BATCH):
        delivery = _claim(now=now, **which)
        if delivery is None:
            return done
        send(delivery, now=now)
    return BATCH


def send(delivery: SandboxDelivery, *, now: datetime) -> None:
    """Try a delivery once and save the result. Call it with no transaction open."""
    body = json.dumps(payload(delivery), separators=(",", ":"))
    headers = sign(delivery.event_id, body, now=now) | {"content-type": "application/json"}
    url = f"{settings.SITE_URL}/webhooks/sandbox/"
    try:
        answer = requests.post(url, data=body.encode(), headers=headers, timeout=TIMEOUT, allow_redirects=False)
        delivered, result = answer.ok and answer.status_code < 300, str(answer.status_code)
    except requests.RequestException as error:
        delivered, result = False, type(error).__name__
    log.info("sandbox.webhook", event_id=delivery.event_id, session=delivery.session.session_id, answer=result)
    SandboxDelivery.objects.filter(pk=delivery.pk).update(
        last_status=result, next_try_at=None if delivered else next_try(delivery, now=now)
    )


def next_try(delivery: SandboxDelivery, *, now: datetime) -> datetime | None:
    """Return when to try again after a failed try; None to give up."""
    if now - delivery.due_at > GIVE_UP_AFTER:
        return None
    return now + BACK_OFF[min(delivery.tries, len(BACK_OFF)) - 1]


def payload(delivery: SandboxDelivery) -> dict[str, object]:
    """Return the body of a webhook: the object it is about and the status it tells, which may be an old one."""
    session = delivery.session
    kind, _, status = delivery.type.partition(".")
    about = {"session": session.session_id, kind: delivery.object_id or session.session_id}
    return {"id": delivery.event_id, "type": delivery.type, "status": status, **about}


def sign(event_id: str, body: str, *, now: datetime) -> dict[str, str]:
    """Return the three signature headers of a webhook with this body, sent now."""
    signature = Webhook(secrets()[0]).sign(msg_id=event_id, timestamp=now, data=body)
    return dict(zip(HEADERS, (event_id, str(int(now.timestamp())), signature), strict=True))


def verify(body: bytes, headers: Mapping[str, str]) -> str:
    """Return the id of a webhook signed with one of our secrets within 300 s of now; otherwise raise BadWebhook."""
    signed = {name: headers.get(name, "") for name in HEADERS}
    for secret in secrets():
        try:
            Webhook(secret).verify(body, signed, json_parse=False)
        except (WebhookVerificationError, ValueError):
            # The library raises ValueError for malformed signatures and for bytes that are not text.
            continue
        return signed["webhook-id"]
    raise BadWebhook("The signature is not valid.")


def secrets() -> list[str]:
    return str(settings.SANDBOX_WEBHOOK_SECRET).split()


def problems() -> list[str]:
    """Return what is wrong with the secrets: none is set, one is public, or not the base64 of at least 24 bytes."""
    if not secrets():
        return ["SANDBOX_WEBHOOK_SECRET is blank: anybody could send us webhooks"]
    if settings.LOCAL_WEBHOOK_SECRET in secrets() and not settings.LOCAL:
        return ["SANDBOX_WEBHOOK_SECRET is the public local one: anybody could send us webhooks"]
    return [] if all(_size(secret) >= 24 for secret in secrets()) else [
        "SANDBOX_WEBHOOK_SECRET must be whsec_ and the base64 of at least 24 random bytes"
    ]  # fmt: skip


def _claim(*, now: datetime, **which: object) -> SandboxDelivery | None:
    due = SandboxDelivery.objects.filter(next_try_at__lte=now, **which).select_related("session")
    with transaction.atomic():
        delivery = due.order_by("next_try_at").select_for_update(skip_locked=True, of=("self",)).first()
        if delivery:
            delivery.tries += 1
            delivery.next_try_at = now + LEASE
            delivery.save(update_fields=["tries", "next_try_at"])
    return delivery


def _size(secret: str) -> int:
    """Return how many bytes the secret holds; 0 if it is not base64."""
    try:
        return len(binascii.a2b_base64(secret.removeprefix("whsec_"), strict_mode=True))
    except (binascii.Error, ValueError):
        return 0

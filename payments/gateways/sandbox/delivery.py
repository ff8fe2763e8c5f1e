"""Webhooks the sandbox owes us: signed, sent over real HTTP, again and again until answered with 2xx."""

import json
from datetime import datetime, timedelta

import requests
import structlog
from django.conf import settings
from django.db import transaction

from payments.gateways.sandbox import desk, signing
from payments.models import SandboxDelivery

log = structlog.get_logger(__name__)

# Waits after the first, second, ... failed try; the last one repeats.
BACK_OFF = [timedelta(seconds=s) for s in (2, 5, 15, 60, 300, 1800, 3600)]
GIVE_UP_AFTER = timedelta(hours=72)
TIMEOUT = (2.0, 10.0)
# A claimed row that nobody reported on is taken up again after this: its worker is gone.
LEASE = timedelta(seconds=30)
BATCH = 50


def deliver_due(*, now: datetime, **which: object) -> int:
    """Send what is due, of all or of `which` deliveries; return how many tries that were.

    Any number of workers may do it at once.
    """
    for done in range(BATCH):
        delivery = _claim(now=now, **which)
        if delivery is None:
            return done
        send(delivery, now=now)
    return BATCH


def send(delivery: SandboxDelivery, *, now: datetime) -> None:
    """Try once, and write down how it went. No transaction is open meanwhile."""
    body = json.dumps(payload(delivery, now=now), separators=(",", ":"))
    headers = signing.sign(delivery.event_id, body, now=now) | {"content-type": "application/json"}
    url = f"{settings.SITE_URL}/webhooks/sandbox/"
    try:
        answer = requests.post(url, data=body.encode(), headers=headers, timeout=TIMEOUT, allow_redirects=False)
        delivered, said = answer.ok and answer.status_code < 300, str(answer.status_code)
    except requests.RequestException as error:
        delivered, said = False, type(error).__name__
    log.info("sandbox.webhook", event_id=delivery.event_id, session=delivery.session.session_id, answer=said)
    SandboxDelivery.objects.filter(pk=delivery.pk).update(
        last_status=said, next_try_at=None if delivered else next_try(delivery, now=now)
    )


def next_try(delivery: SandboxDelivery, *, now: datetime) -> datetime | None:
    """When to try again after the try that has just failed; None: given up."""
    if now - delivery.session.created_at > GIVE_UP_AFTER:
        return None
    return now + BACK_OFF[min(delivery.tries, len(BACK_OFF)) - 1]


def payload(delivery: SandboxDelivery, *, now: datetime) -> dict[str, object]:
    """What a webhook says: how the session stands at the moment of sending."""
    session = delivery.session
    return {
        "id": delivery.event_id,
        "type": delivery.type,
        "session": session.session_id,
        "status": desk.status_at(session, now).value,
        "amount": session.amount_received,
        "currency": session.currency,
    }


def _claim(*, now: datetime, **which: object) -> SandboxDelivery | None:
    due = SandboxDelivery.objects.filter(next_try_at__lte=now, **which).select_related("session")
    with transaction.atomic():
        delivery = due.order_by("next_try_at").select_for_update(skip_locked=True, of=("self",)).first()
        if delivery:
            delivery.tries += 1
            delivery.next_try_at = now + LEASE
            delivery.save(update_fields=["tries", "next_try_at"])
    return delivery

"""Stripe's webhooks: the signature over the raw body, the account and the mode, and which object an event is about."""

import time
from typing import Any

import stripe

from payments.gateways.base import Notification, Subject
from payments.gateways.errors import BadWebhook, ForeignWebhook
from payments.gateways.stripe import configuration, snapshots

# Seconds that a timestamp may be away from now, in either direction.
TOLERANCE = 300
# The types to subscribe to in Stripe's dashboard begin with one of these. An event of a payment intent counts only if
# it charges a saved method: else the payment has a Checkout Session, whose events tell everything.
TYPES = (
    "checkout.session.", "payment_intent.", "refund.", "charge.refund.", "charge.dispute.", "payment_method.",
    "payout.",
)  # fmt: skip
# What an event is about, by the kind of object that it carries. A session of mode `setup` saves a method.
SUBJECTS = {
    "checkout.session": Subject.PAYMENT,
    "payment_intent": Subject.PAYMENT,
    "refund": Subject.REFUND,
    "dispute": Subject.DISPUTE,
    "payment_method": Subject.METHOD,
    "payout": Subject.PAYOUT,
}


def parse(body: bytes, signature: str) -> Notification:
    """Verify a webhook and return what it is about. `signature` is the header Stripe-Signature.

    Raises BadWebhook; ForeignWebhook if it is signed with our secret, but of another account or of the other mode.
    """
    event = _verified(body, signature)
    try:
        payload: dict[str, Any] = event.to_dict(for_json=True)
        event_id, kind, target = _text(payload["id"]), _text(payload["type"]), payload["data"]["object"]
        is_live, target_id = payload["livemode"], target.get("id")
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise BadWebhook("The signature is valid, but the body is not an event.") from error
    if is_live is not configuration.is_live():
        raise ForeignWebhook("The event is of the other mode: test and live do not match.")
    if payload.get("account"):
        raise ForeignWebhook("The event is of a connected account.")
    is_known = kind.startswith(TYPES) and isinstance(target_id, str)
    subject = _subject(target) if is_known else None
    return Notification(
        event_id=event_id,
        type=kind,
        subject=subject,
        gateway_id=target_id if subject is not None else "",
        payload=payload,
    )


def _subject(target: dict[str, Any]) -> Subject | None:
    """Return what an event about this object is about, None if it does not concern us."""
    name = str(target.get("object"))
    if name == "checkout.session" and target.get("mode") == "setup":
        return Subject.SETUP
    return None if name == "payment_intent" and not _is_charge(target) else SUBJECTS.get(name)


def _is_charge(intent: dict[str, Any]) -> bool:
    """Return whether an event's intent charges a saved method."""
    metadata = intent.get("metadata")
    return isinstance(metadata, dict) and snapshots.CHARGE in metadata


def _verified(body: bytes, signature: str) -> stripe.Event:
    """Return the event if one of our secrets has signed it within the tolerance. Only scheme v1 counts."""
    for secret in configuration.webhook_secrets():
        try:
            event: stripe.Event = stripe.Webhook.construct_event(
                body, signature, secret, tolerance=TOLERANCE, api_key="unset"
            )
        except stripe.SignatureVerificationError:
            continue
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            # Bytes that are not text, a signature that is not ASCII, or a body that is not a JSON object.
            raise BadWebhook("The webhook is not readable.") from error
        if _timestamp(signature) > time.time() + TOLERANCE:
            raise BadWebhook("The timestamp is in the future.")
        return event
    raise BadWebhook("The signature is not valid, or too old.")


def _timestamp(signature: str) -> int:
    """Return the timestamp of a header that was verified."""
    return int(next(part for part in signature.split(",") if part.startswith("t=")).split("=")[1])


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("not a text")
    return value

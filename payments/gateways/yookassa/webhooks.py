"""YooKassa's notifications. They carry no signature and no id, so each is a hint and no more.

Only those from YooKassa's own networks are accepted. We read what happened to which object, and then fetch that object.
YooKassa repeats a notification for 24 hours until it is answered with 200.
"""

import ipaddress
import json
import re
from typing import Any

from django.conf import settings

from payments.gateways.base import Notification, Subject
from payments.gateways.errors import BadWebhook

# yookassa.ru/developers/using-api/webhooks, "IP addresses".
NETWORKS = (
    "185.71.76.0/27", "185.71.77.0/27", "77.75.153.0/25", "77.75.154.128/25", "77.75.156.11/32", "77.75.156.35/32",
    "2a02:5180::/32",
)  # fmt: skip
SUBJECTS = {"payment": Subject.PAYMENT, "refund": Subject.REFUND, "payment_method": Subject.METHOD}

EVENT = re.compile(r"([a-z_]{1,30})\.[a-z_]{1,40}", re.ASCII)
OBJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,50}", re.ASCII)
STATUS = re.compile(r"[a-z_]{1,30}", re.ASCII)


def parse(body: bytes, *, address: str) -> Notification:
    """Return what a notification is about. Raises BadWebhook if it is from elsewhere or cannot be read."""
    if not is_listed(address):
        raise BadWebhook("The sender's address is not one of YooKassa's.")
    try:
        sent: Any = json.loads(body)
        event, found = sent["event"], sent["object"]
        object_id, status = found["id"], found.get("status", "none")
        kind = _matched(EVENT, event)[1]
        _matched(OBJECT_ID, object_id)
        _matched(STATUS, status)
        if sent["type"] != "notification":
            raise BadWebhook("This is not a notification.")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadWebhook("The notification is not readable.") from error
    return Notification(
        # The same change of the same object, however often it is sent.
        event_id=f"{event}:{object_id}:{status}",
        type=event,
        subject=SUBJECTS.get(kind),
        gateway_id=object_id,
        # The rest, such as parts of a card's number, is not kept: whoever needs it fetches the object.
        payload={"event": event, "object": {"id": object_id, "status": status}},
    )


def is_listed(address: str) -> bool:
    """Tell whether an address belongs to a network of YooKassa. One that is not an IP address does not."""
    try:
        sender, listed = ipaddress.ip_address(address), networks()
    except ValueError:
        return False
    sender = getattr(sender, "ipv4_mapped", None) or sender
    return any(sender in network for network in listed)


def networks() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return the networks whose notifications are accepted. Raises ValueError if a setting is not a network."""
    return [ipaddress.ip_network(text.strip()) for text in settings.YOOKASSA_NETWORKS or NETWORKS]


def problems() -> list[str]:
    """Return what is wrong with YOOKASSA_NETWORKS."""
    try:
        wide = [str(network) for network in networks() if network.prefixlen == 0]
    except ValueError as error:
        return [f"YOOKASSA_NETWORKS: {error}"]
    return [f"YOOKASSA_NETWORKS has {', '.join(wide)}: anybody could send us webhooks"] if wide else []


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise BadWebhook("The notification is not readable.")
    return match

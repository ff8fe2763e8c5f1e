"""Payment methods that gateways keep, as their owners agreed, until they remove them.

A removed method is used no more from that moment on, whether the gateway answers or not: it is asked to remove the
method too, and again by the sweep until it has.
"""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from payments import truncation
from payments.gateways import registry
from payments.gateways.errors import GatewayError
from payments.gateways.methods import Method
from payments.models import PaymentMethod

log = structlog.get_logger(__name__)

# How long after a removal without an answer the gateway is asked again, for the first time. The wait doubles each time,
# up to a day.
ASK_AGAIN, LONGEST_WAIT = timedelta(minutes=1), timedelta(days=1)


def kept(customer: User) -> QuerySet[PaymentMethod]:
    """Return the methods that a customer has saved and not removed, the newest first."""
    return PaymentMethod.objects.filter(customer=customer, removed_at=None).order_by("-id")


def owner_at(gateway: str, customer: User) -> str:
    """Return the gateway's own id of a customer, from the newest method saved there; "" if it has none yet."""
    rows = PaymentMethod.objects.filter(gateway=gateway, customer=customer).exclude(gateway_owner="")
    return rows.order_by("-id").values_list("gateway_owner", flat=True).first() or ""


def can_save(method: Method) -> bool:
    """Tell whether a method has an id that we can store. Without one it cannot be used, and stops no payment."""
    return bool(method.gateway_id) and _fits("gateway_id", method.gateway_id)


def save(customer: User, gateway: str, method: Method, *, now: datetime) -> PaymentMethod:
    """Save a method that the gateway keeps for the customer, or what has changed about it, and return its row."""
    row, _created = PaymentMethod.objects.get_or_create(
        gateway=gateway, gateway_id=method.gateway_id,
        defaults={"customer": customer, "created_at": now, **_details(method)},
    )  # fmt: skip
    return apply(row, method, now=now)


def apply(row: PaymentMethod, method: Method, *, now: datetime) -> PaymentMethod:
    """Save what the gateway says of a method that we know, and return its row as it is now.

    One that it does not keep any more is removed for good. An answer never brings back a removed one, however old it
    is: the customer may have removed it while the gateway was asked.
    """
    details = _details(method)
    if not details["gateway_owner"]:
        # One that was removed belongs to nobody at the gateway, but its owner is there for the next one.
        del details["gateway_owner"]
    with transaction.atomic():
        row = lock(row.pk)
        if not method.is_kept:
            details |= {"removed_at": row.removed_at or now, "check_at": None}
        for name, value in details.items():
            setattr(row, name, value)
        row.save(update_fields=list(details))
    return row


def lock(method_id: int) -> PaymentMethod:
    """Return the method as it is now, with its row locked until the transaction ends."""
    return PaymentMethod.objects.select_for_update(of=("self",), no_key=True).get(pk=method_id)


def _details(method: Method) -> dict[str, Any]:
    """Return the columns that say what the gateway knows of a method."""
    return {
        "gateway_owner": method.owner if _fits("gateway_owner", method.owner) else "",
        "brand": truncation.cut(PaymentMethod, "brand", method.brand),
        "last4": truncation.storable(method.last4)[-4:],
        "expires_on": method.expires_on,
    }


def _fits(field: str, gateway_id: str) -> bool:
    """Tell whether an id of the gateway can be stored: it is never cut."""
    return truncation.cut(PaymentMethod, field, gateway_id) == gateway_id


def remove(row: PaymentMethod, *, now: datetime) -> PaymentMethod:
    """Remove a method for its customer, here at once and at the gateway, and return its row. Safe to repeat.

    Call it with no transaction open. If the gateway does not answer, the sweep asks again.
    """
    with transaction.atomic():
        row = lock(row.pk)
        if row.removed_at is not None:
            return row
        row.removed_at = now
        row.check_at = now + ASK_AGAIN if registry.can(row.gateway).removes_methods else None
        row.save(update_fields=["removed_at", "check_at"])
    return forget(row, now=now) if row.check_at else row


def forget(row: PaymentMethod, *, now: datetime) -> PaymentMethod:
    """Have the gateway remove a method that its customer has removed, and return its row.

    One that the gateway does not know any more is removed. Call it with no transaction open.
    """
    try:
        registry.get(row.gateway).remove_method(row.gateway_id)
    except GatewayError as error:
        log.warning("method_not_removed", method=row.public_id, error=error.detail, permanent=error.permanent)
        row.check_at = None if error.permanent else now + min(ASK_AGAIN * 2 ** min(row.checks, 20), LONGEST_WAIT)
        row.parked_reason = error.detail[:200] if error.permanent else ""
    else:
        row.check_at, row.parked_reason = None, ""
    row.save(update_fields=["check_at", "parked_reason"])
    return row

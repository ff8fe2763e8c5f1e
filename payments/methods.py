"""Payment methods that gateways keep, as their owners agreed."""

from datetime import datetime

from accounts.models import User
from payments.gateways.base import Method
from payments.models import PaymentMethod


def save(customer: User, gateway: str, method: Method, *, now: datetime) -> PaymentMethod:
    """Save a method that the gateway keeps for the customer, or what has changed about it, and return its row."""
    details = {"gateway_owner": method.owner, "brand": method.brand, "last4": method.last4}
    row, _created = PaymentMethod.objects.get_or_create(
        gateway=gateway, gateway_id=method.gateway_id, defaults={"customer": customer, "created_at": now} | details
    )
    return apply(row, method, now=now)


def apply(row: PaymentMethod, method: Method, *, now: datetime) -> PaymentMethod:
    """Save what the gateway says of a method that we know. One that it does not keep any more is removed for good."""
    row.gateway_owner, row.brand, row.last4, row.expires_on = (
        method.owner, method.brand[:40], method.last4[-4:], method.expires_on,
    )  # fmt: skip
    if not method.is_kept and row.removed_at is None:
        row.removed_at = now
    row.save(update_fields=["gateway_owner", "brand", "last4", "expires_on", "removed_at"])
    return row

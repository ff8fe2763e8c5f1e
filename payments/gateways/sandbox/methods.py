"""Cards that the sandbox keeps for later payments, once the customer has agreed and paid."""

from datetime import datetime, timedelta

from django.db import transaction

from payments.gateways.sandbox import webhooks
from payments.gateways.sandbox.models import SandboxMethod, SandboxSession

# How long a kept card can be used.
VALID_FOR = timedelta(days=3 * 365)


def keep(session: SandboxSession, last4: str) -> SandboxMethod:
    """Keep the card of a session that is or will be paid."""
    return SandboxMethod.objects.create(
        session=session,
        owner=session.customer,
        brand="Visa",
        last4=last4 or "4242",
        expires_on=session.created_at + VALID_FOR,
    )


def forget(method_id: str, *, now: datetime) -> bool:
    """Stop keeping a card, as if the customer had asked the gateway; return False if it was not kept any more."""
    with transaction.atomic():
        method = SandboxMethod.objects.select_for_update().get(method_id=method_id)
        if not method.is_kept:
            return False
        method.is_kept = False
        method.save(update_fields=["is_kept"])
        webhooks.schedule(method.session, "method.removed", method.method_id, at=now)
    return True


def answer(method_id: str, code: str) -> None:
    """Set how the card's bank answers the next charges: a code of outcomes.CHARGES."""
    SandboxMethod.objects.filter(method_id=method_id).update(answer=code)

"""Helpers that compare with the sandbox, and change what it knows."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from payments import comparison
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Payment
from payments.reports import Comparison


def run(**options: Any) -> Comparison:
    """Compare with the sandbox, a little later, and return the result."""
    now = timezone.now() + timedelta(seconds=5)
    [result] = comparison.compare_all(now=now, **options)
    return result


def kinds(result: Comparison) -> list[tuple[str, bool]]:
    """Return the kind of each discrepancy and whether it was mended."""
    return [(row.kind, row.is_mended) for row in result.found]


def at_gateway(payment: Payment, **changes: Any) -> None:
    SandboxSession.objects.filter(session_id=payment.gateway_id).update(**changes)


def foreign(**fields: Any) -> SandboxSession:
    """Make a payment of 5.00 euros at the gateway that we know nothing of."""
    now = timezone.now()
    values = {"idempotency_key": "other", "amount": 5_00, "currency": "EUR", "created_at": now}
    return SandboxSession.objects.create(**values | {"expires_at": now + timedelta(hours=1)} | fields)

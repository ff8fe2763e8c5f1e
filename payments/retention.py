"""How long records are kept that only staff read: gateway reports, and webhook events that are done.

Money rows are never deleted. An event that is parked or still due is kept until it is done.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from payments.models import Discrepancy, GatewayReport, WebhookEvent

Status = WebhookEvent.Status
# Rows that one statement deletes, so that none takes long.
BATCH = 5_000


def forget(*, now: datetime) -> dict[str, int]:
    """Delete reports and events older than the settings say; return how many of each.

    GATEWAY_REPORT_DAYS counts from the start of a report, which is deleted with its discrepancies. WEBHOOK_EVENT_DAYS
    counts from the arrival of an event that was processed or ignored.
    """
    reports = GatewayReport.objects.filter(started_at__lt=now - timedelta(days=settings.GATEWAY_REPORT_DAYS))
    events = WebhookEvent.objects.filter(
        status__in=(Status.PROCESSED, Status.IGNORED),
        next_try_at=None,
        received_at__lt=now - timedelta(days=settings.WEBHOOK_EVENT_DAYS),
    )
    _delete(Discrepancy.objects.filter(report__in=reports))
    return {"gateway_reports": _delete(reports), "webhook_events": _delete(events)}


def _delete(rows: QuerySet[Any]) -> int:
    """Delete the rows in batches, each in a transaction of its own; return how many."""
    total = 0
    while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        # The filter is repeated: a row may have changed meanwhile, such as an event that is replayed.
        rows.filter(pk__in=pks).delete()
        total += len(pks)
    return total

"""How long records are kept that only staff read: gateway reports, and webhook events that are done.

Money rows are never deleted. An event that is parked or still due is kept until it is done.
"""

from datetime import datetime, timedelta

from django.conf import settings

from core.deletion import delete
from payments.models import Discrepancy, GatewayReport, WebhookEvent

Status = WebhookEvent.Status


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
    delete(Discrepancy.objects.filter(report__in=reports))
    return {"gateway_reports": delete(reports), "webhook_events": delete(events)}

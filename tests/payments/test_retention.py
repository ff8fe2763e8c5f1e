"""Old reports and old events that are done are deleted; what still waits for somebody is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import deletion
from payments import retention, tasks
from payments.models import Discrepancy, GatewayReport, WebhookEvent

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def report(age: timedelta) -> GatewayReport:
    at = NOW - age
    row = GatewayReport.objects.create(gateway="sandbox", since=at, until=at, started_at=at, left=1)
    Discrepancy.objects.create(report=row, kind="missing_here", gateway_id="sbx_1")
    return row


def event(age: timedelta, status: str, **fields: Any) -> WebhookEvent:
    row: WebhookEvent = WebhookEvent.objects.create(
        gateway="sandbox", event_id=f"e{WebhookEvent.objects.count()}", type="t", gateway_id="x", payload={},
        status=status, received_at=NOW - age, **fields,
    )  # fmt: skip
    return row


def test_reports_are_kept_for_400_days_with_what_they_found():
    kept = report(400 * DAY)
    report(400 * DAY + timedelta(seconds=1))
    assert retention.forget(now=NOW) == {"gateway_reports": 1, "webhook_events": 0}
    assert list(GatewayReport.objects.all()) == [kept]
    assert Discrepancy.objects.get().report == kept


def test_events_that_are_done_are_kept_for_90_days():
    old = 90 * DAY + timedelta(seconds=1)
    kept = [
        event(90 * DAY, "processed"), event(90 * DAY, "ignored"), event(old, "parked"), event(old, "received"),
        # Staff have just marked it to be processed again.
        event(old, "processed", next_try_at=NOW),
    ]  # fmt: skip
    for status in ("processed", "ignored"):
        event(old, status)
    assert retention.forget(now=NOW) == {"gateway_reports": 0, "webhook_events": 2}
    assert list(WebhookEvent.objects.order_by("id")) == kept


def test_the_days_are_settings(settings: Any):
    settings.GATEWAY_REPORT_DAYS, settings.WEBHOOK_EVENT_DAYS = 1, 2
    report(1 * DAY + timedelta(seconds=1))
    event(1 * DAY + timedelta(seconds=1), "processed")
    event(2 * DAY + timedelta(seconds=1), "processed")
    assert retention.forget(now=NOW) == {"gateway_reports": 1, "webhook_events": 1}


def test_many_are_deleted_in_batches(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deletion, "BATCH", 2)
    for _ in range(5):
        event(91 * DAY, "processed")
    assert retention.forget(now=NOW)["webhook_events"] == 5
    assert not WebhookEvent.objects.exists()


def test_the_daily_task_forgets():
    event(timedelta(days=20 * 365), "processed")
    assert tasks.forget()["webhook_events"] == 1

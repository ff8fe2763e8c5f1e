"""What the site is doing: due books, parked rows, tasks, queues, the last ledger check.

/statusz, /metrics and `manage.py doctor` show it. Everything is read from rows and from the broker, so each web process
gives the same answer.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Min, Model, Q
from redis.exceptions import ResponseError

from billing_site.celery import app
from billing_site.scheduler import SILENT_FOR
from billing_site.task_runs import PATIENCE
from core.models import Heartbeat, SchedulerProcess
from events.models import Mail
from payments.gateways.sandbox.models import SandboxDelivery
from payments.models import (
    CollectionPlan,
    Dispute,
    MethodSetup,
    Payment,
    PaymentMethod,
    Refund,
    WebhookEvent,
)
from subscriptions.models import BillingClock

# What waits for staff, by the name under which it is shown: the model, the rows, and the admin's list of them.
PARKED: dict[str, tuple[type[Model], Q, str]] = {
    "books": (BillingClock, Q(parked_at__isnull=False), "subscriptions_billingclock"),
    "payments": (Payment, ~Q(parked_reason=""), "payments_payment"),
    "refunds": (Refund, ~Q(parked_reason=""), "payments_refund"),
    "disputes": (Dispute, ~Q(parked_reason=""), "payments_dispute"),
    "payment_methods": (PaymentMethod, ~Q(parked_reason=""), "payments_paymentmethod"),
    "method_setups": (MethodSetup, ~Q(parked_reason=""), ""),
    "collection_plans": (CollectionPlan, ~Q(parked_reason=""), "payments_collectionplan"),
    "webhook_events": (WebhookEvent, Q(status=WebhookEvent.Status.PARKED), "payments_webhookevent"),
    "mails": (Mail, Q(state=Mail.State.PARKED), "events_mail"),
}
# What waits for a sweep, by name: the model, the rows, and the column that says from when on.
WAITING: dict[str, tuple[type[Model], Q, str]] = {
    "payments": (Payment, Q(), "check_at"),
    "refunds": (Refund, Q(), "check_at"),
    "disputes": (Dispute, Q(), "check_at"),
    "collection_plans": (CollectionPlan, Q(), "check_at"),
    "webhooks_in": (WebhookEvent, Q(), "next_try_at"),
    # Those that the sandbox sends: the site itself sends none.
    "webhooks_out": (SandboxDelivery, Q(), "next_try_at"),
    "mails": (Mail, Q(state=Mail.State.WAITING), "due_at"),
}


class Books(NamedTuple):
    """Books by when they are due. `overdue` ones are late by more than PATIENCE, `held_back` ones wait for staff."""

    due: int
    overdue: int
    held_back: int
    # How long the one that has been due longest, and is not held back, has been due. 0 if none is.
    oldest_seconds: float


def books(*, now: datetime) -> Books:
    """Count the books that are due at `now`."""
    oldest, late = now - settings.BILLING_MAX_CATCH_UP, now - PATIENCE
    counts = BillingClock.objects.filter(due_at__lte=now, parked_at__isnull=True).aggregate(
        due=Count("pk", filter=Q(due_at__gt=oldest)),
        overdue=Count("pk", filter=Q(due_at__gt=oldest, due_at__lte=late)),
        held_back=Count("pk", filter=Q(due_at__lte=oldest)),
        first=Min("due_at", filter=Q(due_at__gt=oldest)),
    )
    first = counts.pop("first")
    return Books(**counts, oldest_seconds=(now - first).total_seconds() if first else 0.0)


def parked() -> dict[str, int]:
    """Count what waits for staff, by name."""
    return {name: _rows(model).filter(which).count() for name, (model, which, _) in PARKED.items()}


def waiting(*, now: datetime) -> dict[str, int]:
    """Count what is due at `now` and waits for a sweep, by name."""
    return {
        name: _rows(model).filter(which, **{f"{at}__lte": now}).count() for name, (model, which, at) in WAITING.items()
    }


class Broker(NamedTuple):
    """The tasks that wait in each queue of the broker, and why it takes no more, empty if it does."""

    queues: dict[str, int]
    refusal: str


def broker() -> Broker:
    """Ask the broker. Raises what its library raises if it cannot be reached."""
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=1)
        channel: Any = connection.default_channel
        queues = {queue.name: int(channel.client.llen(queue.name)) for queue in settings.CELERY_TASK_QUEUES}
        try:
            channel.client.set("billing-probe", "", px=1000)
        except ResponseError as error:
            return Broker(queues, str(error))
    return Broker(queues, "")


def beat_age(*, now: datetime) -> float | None:
    """Return how many seconds ago the scheduler showed that it lives, None if it never did."""
    last = Heartbeat.objects.filter(name="beat").values_list("at", flat=True).first()
    return None if last is None else max(0.0, (now - last).total_seconds())


def schedulers(*, now: datetime) -> list[str]:
    """Return the places of the schedulers that run at the same time, at most one if all is well.

    One that was replaced is none of them, although it was seen a moment ago: the next one started after that.
    """
    alive = list(
        SchedulerProcess.objects.filter(seen_at__gt=now - timedelta(seconds=SILENT_FOR)).order_by("started_at")
    )
    newest = alive[-1].started_at if alive else now
    return [each.place for each in alive if each.seen_at >= newest]


def is_silent(age: float | None) -> bool:
    """Tell whether the scheduler with this age counts as dead."""
    return age is None or age > SILENT_FOR


def _rows(model: type[Model]) -> Any:
    return model._default_manager

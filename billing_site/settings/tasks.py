"""Celery and its schedule. Rows say what is due, so a task may be lost, late or run twice."""

from datetime import timedelta

from celery.schedules import crontab
from kombu import Queue

from billing_site.local.valkey import Valkey
from billing_site.settings.billing import PAYMENT_GATEWAYS
from billing_site.settings.environment import VAR_DIR, env

# Redis or Valkey; without CELERY_BROKER_URL the embedded Valkey.
CELERY_BROKER_URL = (
    env.url(
        "CELERY_BROKER_URL",
        ("redis", "rediss", "redis+socket", "sentinel"),
        example="redis://redis.example.com:6379/0",
    )
    or Valkey(VAR_DIR / "valkey").broker_url()
)
# Sending a task takes a second at most, and a request never fails because of it (billing_site.celery.Poke).
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.1}
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
    # Longer than any task may run, so that the broker does not give a running task to a second worker.
    "visibility_timeout": 900,
    # A broker that hangs is treated as one that is down.
    "socket_connect_timeout": 1,
    "socket_timeout": 2,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker waits for the broker however long it is away.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TIMEZONE = "UTC"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# A gateway or a mail server that hangs holds up its own queue and never billing, if each queue has a worker of its own
# (--queues). A worker that is not told its queues takes all.
CELERY_TASK_QUEUES = (Queue("billing"), Queue("payments"), Queue("deliveries"))
CELERY_TASK_DEFAULT_QUEUE = "billing"
CELERY_TASK_ROUTES = {
    "payments.tasks.*": {"queue": "payments"},
    "payments.gateways.*": {"queue": "payments"},
    "events.tasks.*": {"queue": "deliveries"},
    "billing_site.tasks.*": {"queue": "deliveries"},
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 210
CELERY_TASK_TIME_LIMIT = 240
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 10_000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "billing_site.scheduler:Scheduler"
# Name, task, seconds between two runs. Superusers may change them in the admin. A task that waits longer expires.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    name: {"task": task, "schedule": timedelta(seconds=seconds), "options": {"expires": max(seconds, 10)}}
    for name, task, seconds in (
        ("bill-due", "subscriptions.tasks.bill_due", 60),
        ("process-webhooks", "payments.tasks.process_webhooks", 10),
        ("reconcile-payments", "payments.tasks.reconcile", 10),
        ("collect-mails", "events.tasks.collect_mails", 10),
        ("deliver-mails", "events.tasks.deliver_mails", 10),
        ("forget-mails", "events.tasks.forget_mails", 86400),
        ("collect", "payments.tasks.collect", 60),
        ("compare-gateways", "payments.tasks.compare_gateways", 86400),
        ("forget-reports-and-events", "payments.tasks.forget", 86400),
        ("remind-of-renewals", "subscriptions.tasks.remind_of_renewals", 600),
        ("remind-of-cards", "payments.tasks.remind_of_cards", 3600),
        ("clean", "accounts.tasks.clean", 3600),
        ("forget-quotes", "subscriptions.tasks.forget_quotes", 3600),
        ("fold-rollups", "ledger.tasks.fold_rollups", 60),
    )
}
# At night, when little is billed; in UTC. A missed night is made up for when the scheduler starts.
CELERY_BEAT_SCHEDULE["check-ledger"] = {
    "task": "billing_site.tasks.check_ledger",
    "schedule": crontab(minute="30", hour="3"),
    "options": {"expires": 3600},
}
# Soon after midnight in UTC, when the day is closed and billing has dated back what was still due in it.
CELERY_BEAT_SCHEDULE["roll-up-figures"] = {
    "task": "subscriptions.tasks.roll_up_figures",
    "schedule": crontab(minute="20", hour="0"),
    "options": {"expires": 3600},
}
if "sandbox" in PAYMENT_GATEWAYS:
    CELERY_BEAT_SCHEDULE["deliver-sandbox-webhooks"] = {
        "task": "payments.gateways.sandbox.tasks.deliver_sandbox_webhooks",
        "schedule": timedelta(seconds=2),
        "options": {"expires": 10},
    }

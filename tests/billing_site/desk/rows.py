"""Rows of any table of the admin: one of each made by the code, and as many copies of it as a test wants."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.utils import timezone
from django_celery_beat import models as schedules

from accounts.models import User
from billing_site.demo import plans
from core.models import LedgerCheck, TaskRun
from events import staff_acts
from events.models import Mail, UnreachableAddress
from events.staff_acts import Author
from ledger.models import Account
from payments import setups
from payments.collection import top_ups
from payments.models import AutoTopUp, CollectionPlan, PaymentMethod, Payout, WebhookEvent
from subscriptions import books, catalogue, orders
from subscriptions.models import BillingClock, Plan
from tests.payments import staff_rows

# Rows that belong to one wallet each: their copies get wallets of their own.
OF_A_WALLET = (BillingClock, CollectionPlan)


def seed(customer: User, staff: User) -> None:
    """Make at least one row in each table."""
    now = timezone.now()
    if not Plan.objects.exists():
        plans.put_on_sale(now=now)
    with books.open(customer, "RUB", now=now) as book:
        book.top_up(1000_00, key="lists:1", source="gateway_clearing:sandbox")
    orders.subscribe(customer, catalogue.current("basic", "RUB"), now=now)
    made = staff_rows.make(customer, staff, now=now)
    method = PaymentMethod.objects.create(customer=customer, gateway="sandbox", gateway_id="card_1", created_at=now)
    setups.start(customer, "sandbox", now=now)
    if not AutoTopUp.objects.exists():
        top_ups.turn_on(method, "RUB", address=None, now=now, threshold=100_00, amount=500_00, cap=5000_00)
    wallet = Account.objects.get(owner=customer, kind=Account.Kind.WALLET, currency="RUB")
    CollectionPlan.objects.get_or_create(wallet=wallet, defaults={"customer": customer})
    staff_acts.record("payment.refund", [made["payment"]], author=Author(staff), customer=customer)
    Mail.objects.create(
        customer=customer,
        kind="receipt",
        cause="lists",
        address=customer.email,
        created_at=now,
        due_at=now,
        park_at=now,
    )
    UnreachableAddress.objects.create(address="lost@example.com", bounced_at=now)
    LedgerCheck.objects.create(started_at=now, seconds=1, checks=1, wrong=1, findings=[{"name": "sums", "rows": [1]}])
    TaskRun.objects.get_or_create(task="core.tasks.lists", defaults={"seconds": 1, "finished_at": now})
    Payout.objects.create(
        gateway="sandbox", gateway_id="po_1", amount=100_00, currency="RUB", arrived_at=now, created_at=now
    )
    WebhookEvent.objects.create(gateway="sandbox", event_id="e", type="t", gateway_id="", payload={}, received_at=now)
    Group.objects.get_or_create(name="support")
    every = schedules.IntervalSchedule.objects.create(every=1, period="days")
    schedules.PeriodicTask.objects.create(name="lists", task="lists", interval=every)
    schedules.CrontabSchedule.objects.create()
    schedules.ClockedSchedule.objects.create(clocked_time=now + timedelta(days=1))
    schedules.SolarSchedule.objects.create(event="sunrise", latitude=1, longitude=1)


def copy(row: Model, number: int) -> None:
    """Insert copies of a row. What makes its values unique, and the guards of its table, are dropped for the test."""
    if number and isinstance(row, OF_A_WALLET):
        copy(row.wallet, number)
    meta: Any = row._meta
    names = connection.ops.quote_name
    columns = [names(field.column) for field in meta.local_concrete_fields if not field.primary_key]
    pk, values = [], []
    if isinstance(row, OF_A_WALLET):
        free = f"SELECT id FROM ledger_account WHERE id NOT IN (SELECT wallet_id FROM {names(meta.db_table)})"
        source = f"({free} AND kind = 'wallet' ORDER BY id DESC LIMIT {number}) AS of (id)"
        pk, values = [names(meta.pk.column)], ["of.id"]
    elif isinstance(row, TaskRun):
        source, pk, values = f"generate_series(1, {number}) AS of (id)", ["task"], ["gen_random_uuid()::text"]
    else:
        source = f"generate_series(1, {number}) AS of (id)"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        _drop_unique(cursor, meta.db_table)
        cursor.execute(
            f"INSERT INTO {names(meta.db_table)} ({', '.join(pk + columns)})"
            f" SELECT {', '.join(values + [f'old.{name}' for name in columns])}"
            f" FROM {names(meta.db_table)} AS old, {source} WHERE old.{names(meta.pk.column)} = %s",
            [row.pk],
        )


def _drop_unique(cursor: Any, table: str) -> None:
    cursor.execute(
        "SELECT i.relname, c.conname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
        " LEFT JOIN pg_constraint c ON c.conindid = x.indexrelid AND c.contype = 'u'"
        " WHERE x.indrelid = %s::regclass AND x.indisunique AND NOT x.indisprimary",
        [table],
    )
    for index, constraint in cursor.fetchall():
        if constraint:
            cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{constraint}" CASCADE')
        else:
            cursor.execute(f'DROP INDEX "{index}" CASCADE')

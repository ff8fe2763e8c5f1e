"""Events are written in bulk in the caller's transaction, and are never edited or deleted."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError
from psycopg.errors import CheckViolation

from events import outbox
from events.models import Event

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_events_are_written_in_order_in_one_statement(alice, mallory, django_assert_num_queries):
    facts = [
        (alice.pk, "payment.confirmed", "pay_1", NOON, {"amount": Decimal("1342.10"), "at": NOON}),
        outbox.Fact(mallory.pk, "subscription.renewed", "sub_2", NOON, {}),
        (alice.pk, "payment.confirmed", "pay_3", NOON, {"note": "тест \"'% \\ 😀"}),
    ]
    with django_assert_num_queries(1):
        ids = outbox.record(facts)
    rows = list(Event.objects.order_by("id"))
    assert [row.pk for row in rows] == ids
    assert [row.subject for row in rows] == ["pay_1", "sub_2", "pay_3"]
    assert rows[0].data == {"amount": "1342.10", "at": "2026-11-21T12:00:00Z"}
    assert rows[2].data == {"note": "тест \"'% \\ 😀"}
    assert rows[0].effective_at == NOON
    assert rows[0].created_at is not None


def test_rows_are_written_as_facts_are(alice, mallory, django_assert_num_queries):
    # NOON in microseconds since 1970.
    at = 1_795_262_400_000_000
    text = json.dumps({"note": "тест \"'% \\ 😀", "left": None})
    with django_assert_num_queries(1):
        outbox.record_rows([
            (alice.pk, "subscription.renewed", "sub_1", at, text),
            outbox.Row(mallory.pk, "subscription.renewed", "sub_2", at + 1, "{}"),
        ])  # fmt: skip
    rows = list(Event.objects.order_by("id"))
    assert [(row.customer, row.subject) for row in rows] == [(alice, "sub_1"), (mallory, "sub_2")]
    assert [row.effective_at for row in rows] == [NOON, NOON.replace(microsecond=1)]
    assert [row.data for row in rows] == [{"note": "тест \"'% \\ 😀", "left": None}, {}]


def test_no_events_run_no_query(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert outbox.record([]) == []
        outbox.record_rows([])


def test_five_thousand_events_are_written_in_one_statement(alice, django_assert_num_queries):
    with django_assert_num_queries(1):
        ids = outbox.record([(alice.pk, "t", f"sub_{n}", NOON, {"n": n}) for n in range(5000)])
    assert len(ids) == Event.objects.count() == 5000
    assert Event.objects.get(pk=ids[4321]).data == {"n": 4321}


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_transaction_leaves_no_event(alice):
    with transaction.atomic():
        outbox.record([(alice.pk, "t", "sub_1", NOON, {})])
        assert Event.objects.exists()
        transaction.set_rollback(True)
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        ("event_is_never_edited", "UPDATE events_event SET type = 'x'"),
        ("event_is_never_edited", "UPDATE events_event SET type = 'x' WHERE false"),
        ("event_is_never_deleted", "DELETE FROM events_event"),
        ("events_are_never_truncated", "TRUNCATE events_event"),
        ("events_are_never_truncated", "TRUNCATE events_event CASCADE"),
    ],
)
def test_the_database_refuses_to_change_events(alice, rule, statement):
    outbox.record([(alice.pk, "t", "sub_1", NOON, {})])
    with connection.cursor() as sql:
        sql.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match="append-only") as refusal, transaction.atomic():
            sql.execute(statement)
    assert isinstance(refusal.value.__cause__, CheckViolation)
    assert refusal.value.__cause__.diag.constraint_name == rule
    assert Event.objects.get().type == "t"


def test_a_customer_with_events_cannot_be_deleted(alice):
    outbox.record([(alice.pk, "t", "sub_1", NOON, {})])
    with pytest.raises(DatabaseError), transaction.atomic():
        alice.delete()

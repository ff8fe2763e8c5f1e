"""The timeline of a customer reads no other customer's rows, and its pages follow each other without a gap."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from billing_site.desk import timeline
from ledger.models import Transaction
from subscriptions import books
from tests.subscriptions.shop import pay_in

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_the_timeline_reads_transactions_by_index_only(alice: User):
    pay_in(alice, 100_00)
    with CaptureQueriesContext(connection) as asked:
        timeline.of(alice, kinds=list(timeline.PARTS))
    with connection.cursor() as cursor:
        # Otherwise a short table is always read whole.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked.captured_queries[0]['sql']}")
        plan = [line for (line,) in cursor.fetchall()]
    assert [line for line in plan if "Seq Scan on ledger_transaction" in line] == []
    assert [line for line in plan if "transaction_but_charges" in line]


def test_a_page_of_the_timeline_goes_on_where_the_last_one_ended(alice: User):
    """Of 60 transactions at two instants, with one debt among them, none is missing or shown twice."""
    for number in range(60):
        pay_in(alice, 1_00 + number, at=START + DAY * (number // 30))
    with books.open(alice, "RUB", now=START + DAY) as book:
        book.take_back(100_000_00, key="test:owe", to="disputes", reason="chargeback")
    first = timeline.of(alice, kinds=["transaction"])
    second = timeline.of(alice, kinds=["transaction"], before=first.older)
    assert first.older
    assert not second.older
    shown = [line.href for line in (*first.lines, *second.lines)]
    assert len(shown) == len(set(shown)) == Transaction.objects.count()

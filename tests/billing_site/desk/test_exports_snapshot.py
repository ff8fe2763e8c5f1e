"""An export is of one instant: what moves while it is read is in neither its rows nor its totals."""

import threading
from datetime import date

import pytest
from django.db import connection

from billing_site.desk.exports import csv_stream
from billing_site.desk.exports.csv_stream import Tally, stream
from billing_site.desk.exports.form import EXPORTS
from billing_site.desk.exports.table import Extract
from ledger.models import Transaction
from tests.billing_site.desk.money_story import day, post

MARCH = Extract(EXPORTS["transactions"], date(2026, 3, 1), date(2026, 3, 31))


def move(number: int) -> None:
    post(f"move:{number}", "adjustments", "revenue", 1_00, reason="adjustment", at=day(2))


def move_meanwhile() -> None:
    def run() -> None:
        move(100)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_rows_and_totals_agree_while_money_moves(monkeypatch):
    monkeypatch.setattr(csv_stream, "BATCH", 1)
    for number in range(5):
        move(number)
    tally = Tally()
    pieces = stream(MARCH, tally)
    read = [next(pieces), next(pieces)]
    move_meanwhile()
    lines = b"".join([*read, *pieces]).decode().splitlines()
    assert Transaction.objects.count() == 6
    assert len(lines) == 1 + 5 + 1
    assert ",5.00,RUB," in lines[-1]
    assert tally.rows == 5


@pytest.mark.django_db(transaction=True)
def test_whoever_stops_reading_ends_the_transaction():
    move(1)
    pieces = stream(MARCH, Tally())
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    # A transaction that were still open would be read-only.
    move(2)
    assert Transaction.objects.count() == 2

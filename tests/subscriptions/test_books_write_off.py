"""A debt is written off in an open book: what is posted, who is told, and what is refused."""

from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from events.models import Event
from ledger.models import Account, Transaction
from subscriptions import books
from subscriptions.refusals import Refused
from tests.ledger.snapshot import found
from tests.letters import told, words

pytestmark = pytest.mark.django_db


def owe(customer: User, amount: int, *, now: datetime) -> None:
    with books.open(customer, "RUB", now=now) as book:
        book.take_back(amount, key="test:owe", to="disputes", reason="chargeback")


def write_off(customer: User, amount: int, *, now: datetime, **more: Any) -> None:
    with books.open(customer, "RUB", now=now) as book:
        book.write_off(amount, key="test:off", source="adjustments", **more)


def test_a_debt_is_paid_from_adjustments_with_author_and_reason(alice: User, staff: User) -> None:
    now = timezone.now()
    owe(alice, 50_00, now=now)
    write_off(alice, 20_00, now=now, description="Our mistake", author=staff)
    row = Transaction.objects.get(reason="write_off")
    assert (row.debit.code, row.credit.kind, row.credit.owner, row.amount) == ("adjustments", "debt", alice, 20_00)
    assert (row.wallet, row.customer, row.author, row.description) == (None, alice, staff, "Our mistake")
    assert Account.objects.get(kind="debt").balance == -30_00
    # A part is no news.
    assert not Event.objects.filter(type__startswith="wallet.debt_").exclude(type="wallet.debt_arose").exists()
    assert found() == {}


def test_the_customer_is_told_that_nothing_is_owed_any_more(alice: User, staff: User) -> None:
    now = timezone.now()
    owe(alice, 50_00, now=now)
    write_off(alice, 50_00, now=now, description="Our mistake", author=staff)
    event = Event.objects.get(type="wallet.debt_written_off")
    assert event.data == {"amount": {"value": "50.00", "currency": "RUB"}, "reason": "Our mistake"}
    letter = told("debt", now=now)
    assert letter.subject == "You no longer owe ₽50.00"
    assert "We wrote off your debt. Our mistake" in words(letter)
    User.objects.update(language="ru")
    assert told("debt", now=now).subject == "Вы больше не должны 50,00\u00a0₽"


def test_more_than_the_debt_is_refused_and_changes_nothing(alice: User) -> None:
    now = timezone.now()
    owe(alice, 50_00, now=now)
    with pytest.raises(Refused, match="The debt is smaller than that") as refusal:
        write_off(alice, 50_01, now=now)
    assert refusal.value.code == "more_than_the_debt"
    assert Account.objects.get(kind="debt").balance == -50_00

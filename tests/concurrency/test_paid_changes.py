"""A payment that brings a change, while its customer decides otherwise at the same moment."""

import pytest
from django.utils import timezone

from accounts.models import User
from ledger.models import Transaction
from payments import checkout, confirmation, open_orders
from payments.gateways.sandbox import outcomes, sessions
from payments.models import PaidChange, Payment
from payments.paid_changes import ChangeTo
from subscriptions import books, orders
from subscriptions.models import Price, Subscription
from tests.concurrency.sessions import at_once, outcome_of
from tests.ledger.snapshot import found
from tests.payments.rows import balance
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db(transaction=True)
RACES = 40


@pytest.fixture
def plans(db: None) -> tuple[Price, Price, Price]:
    """Basic for 990.00, Standard for 1500.00 and a cheap one for 1.00 a month."""
    basic, standard, cheap = (sell(code, RUB=amount)["RUB"] for code, amount in
                              (("basic", 990_00), ("standard", 1500_00), ("cheap", 1_00)))  # fmt: skip
    return basic, standard, cheap


def holding(customer: User, price: Price) -> Subscription:
    pay_in(customer, price.amount, at=timezone.now())
    return orders.subscribe(customer, price, now=timezone.now())


def begin(row: Subscription, price: Price) -> Payment:
    return checkout.start(row.customer, now=timezone.now(), subscription=row, change=ChangeTo(price))


def test_two_tabs_start_one_payment(alice: User, plans: tuple[Price, ...]) -> None:
    row = holding(alice, plans[0])
    results = at_once([lambda: begin(row, plans[1])] * 6)
    assert len({payment.pk for payment in results}) == 1
    assert open_orders.open_payments().count() == 1


@pytest.mark.parametrize("wish", ["cancel", "other plan"])
def test_the_wish_and_the_money_come_at_once(alice: User, plans: tuple[Price, ...], wish: str) -> None:
    """Whichever is first counts: the change is made and then the wish, or the wish is kept and the money too."""
    basic, standard, cheap = plans
    for _race in range(RACES):
        row = holding(alice, basic)
        payment = begin(row, standard)
        chosen = outcomes.ON_THE_PAGE["succeeds"]
        sessions.choose(payment.gateway_id or "", chosen, expected=sessions.Status.OPEN, now=timezone.now())

        def decide(row: Subscription = row) -> None:
            with books.open(row.customer, "RUB", now=timezone.now()) as book:
                book.cancel(row) if wish == "cancel" else book.change_plan(row, cheap)

        def confirm(pk: int = payment.pk) -> Payment:
            return confirmation.confirm(pk, now=timezone.now())

        at_once([outcome_of(decide), confirm, confirm])
        row.refresh_from_db()
        change = PaidChange.objects.get(payment=payment)
        assert Payment.objects.get(pk=payment.pk).status == "confirmed"
        credited = Transaction.objects.filter(key=f"payment:{payment.public_id}")
        assert credited.count() == 1
        if wish == "cancel":
            assert row.cancel_requested
            assert row.price == (standard if change.made_at else basic)
        else:
            assert row.price == cheap
        assert bool(change.made_at) != (change.refusal == "changed_meanwhile")
        assert balance(alice) >= 0
        with books.open(alice, "RUB", now=timezone.now()) as book:
            book.cancel(row, when="now", refund_unused=True)
            book.withdraw(book.balance, key=f"out:{row.pk}", to="bank")
    assert found() == {}

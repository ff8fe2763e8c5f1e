"""The difference is paid at the gateway, and the change of plan or quantity is made with it, or it is kept."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from ledger.money import Money
from payments import amounts, cancellation, checkout, confirmation, open_orders, reconciliation, transitions
from payments.amounts import NothingToPay
from payments.models import PaidChange, Payment
from payments.paid_changes import ChangeTo
from payments.sessions import ChangedMeanwhile
from subscriptions import books, catalogue, orders
from subscriptions.models import Price, Subscription
from subscriptions.refusals import Refused
from tests.ledger.plant import plant
from tests.ledger.snapshot import found
from tests.payments.checkouts import start, top_up
from tests.payments.rows import balance
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def standard(db: None) -> Price:
    """1500.00 roubles a month."""
    return sell("standard", RUB=1500_00)["RUB"]


@pytest.fixture
def holding(alice: User, basic: Price) -> Subscription:
    """Alice's Basic, 990.00 a month, which began just now, with 10.00 left."""
    pay_in(alice, 1000_00, at=timezone.now())
    return orders.subscribe(alice, basic, now=timezone.now())


def begin(row: Subscription, price: Price, quantity: int | None = None, **more: Any) -> Payment:
    return start(row.customer, subscription=row, change=ChangeTo(price, quantity), **more)


def arrive(payment: Payment, choose: Callable[..., Any]) -> Payment:
    choose(payment, "succeeds")
    return confirmation.confirm(payment.pk, now=timezone.now())


def change_of(payment: Payment) -> tuple[bool, str]:
    row = PaidChange.objects.get(payment=payment)
    return row.made_at is not None, row.refusal


def test_one_payment_brings_the_difference_and_makes_the_change(holding, standard, choose):
    payment = begin(holding, standard)
    # 1500.00 less 10.00 and what comes back of 990.00 in an hour to an hour and a half: a bit more than 500.00.
    assert 501_00 <= payment.amount <= 503_00
    assert payment.plan == standard.plan
    assert change_of(payment) == (False, "")
    payment = arrive(payment, choose)
    holding.refresh_from_db()
    assert (payment.status, change_of(payment)) == ("confirmed", (True, ""))
    assert (holding.price, holding.status) == (standard, "active")
    assert 0 <= balance(holding.customer) <= 3_00
    assert found() == {}


def test_more_seats_are_paid_and_added(holding, basic, choose):
    payment = begin(holding, basic, quantity=3)
    assert 1969_00 <= payment.amount <= 1973_00
    arrive(payment, choose)
    holding.refresh_from_db()
    assert (holding.quantity, change_of(payment)) == (3, (True, ""))
    assert found() == {}


def test_the_amount_is_at_least_what_gateways_take(alice, holding, choose):
    """What is more than the difference stays on the balance."""
    dearer = sell("dearer", RUB=1005_00)["RUB"]
    payment = begin(holding, dearer)
    assert payment.amount == 100_00
    arrive(payment, choose)
    holding.refresh_from_db()
    assert holding.price == dearer
    assert 94_00 <= balance(alice) <= 95_00


def test_the_amount_stays_for_a_quarter_of_an_hour_and_what_was_shown_for_as_long_again(alice, holding, standard):
    start = datetime.fromtimestamp((timezone.now().timestamp() // 900 + 1) * 900, UTC)

    def due(minutes: float, shown: int | None = None) -> int:
        now = start + timedelta(minutes=minutes)
        return amounts.for_change(holding, standard, None, now=now, shown=shown).money.amount

    first = due(0)
    assert {due(minutes) for minutes in (0.1, 7, 14.99)} == {first}
    assert due(15) > first
    assert due(29.99, shown=first) == first
    assert due(30, shown=first) > first
    assert due(0, shown=first - 1) == due(0, shown=1) == first


def test_nothing_is_started_if_the_balance_is_enough(alice, holding, standard):
    top_up(alice, 600_00)
    with pytest.raises(NothingToPay):
        begin(holding, standard)
    assert not Payment.objects.exists()


def test_another_refusal_is_said_before_anything_is_paid(holding, basic, standard):
    with books.open(holding.customer, "RUB", now=timezone.now()) as book:
        book.pause(holding)
    with pytest.raises(Refused) as refused:
        begin(holding, standard)
    assert refused.value.code != "insufficient_funds"
    assert not Payment.objects.exists()


def test_started_twice_it_is_one_payment_and_another_plan_takes_its_place(holding, standard, choose):
    first = begin(holding, standard)
    assert begin(holding, standard) == first
    premium = sell("premium", RUB=3000_00)["RUB"]
    second = begin(holding, premium)
    first.refresh_from_db()
    assert first.status == "cancelled"
    assert second.amount > first.amount
    arrive(second, choose)
    holding.refresh_from_db()
    assert holding.price == premium


def test_the_same_key_again_continues_the_payment_also_after_the_change(holding, standard, choose):
    first = begin(holding, standard, idempotency_key="once")
    arrive(first, choose)
    assert begin(holding, standard, idempotency_key="once") == first
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("wish", ["cancel", "change", "quantity", "plan later"])
def test_who_has_decided_otherwise_keeps_the_money_and_what_they_have(alice, holding, standard, choose, wish):
    payment = begin(holding, standard)
    choose(payment, "succeeds")
    cheap = sell("cheap", RUB=100_00)["RUB"]
    with books.open(alice, "RUB", now=timezone.now()) as book:
        match wish:
            case "cancel":
                book.cancel(holding)
            case "change":
                book.change_plan(holding, cheap)
            case "quantity":
                book.change_quantity(holding, 2, when="period_end")
            case "plan later":
                book.change_plan(holding, cheap, when="period_end")
    before, had = balance(alice), Subscription.objects.values().get()
    confirmation.confirm(payment.pk, now=timezone.now())
    assert change_of(payment) == (False, "changed_meanwhile")
    assert balance(alice) == before + payment.amount
    assert Subscription.objects.values().get() == had
    assert found() == {}


def test_an_ended_subscription_is_not_changed(alice, holding, standard, choose):
    payment = begin(holding, standard)
    choose(payment, "succeeds")
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.cancel(holding, when="now")
    confirmation.confirm(payment.pk, now=timezone.now())
    assert change_of(payment) == (False, "changed_meanwhile")
    assert found() == {}


def test_a_price_that_is_not_sold_any_more_is_not_charged(alice, holding, standard, choose):
    payment = begin(holding, standard)
    choose(payment, "succeeds")
    catalogue.new_version(standard, now=timezone.now(), amount=1_00)
    confirmation.confirm(payment.pk, now=timezone.now())
    holding.refresh_from_db()
    assert change_of(payment) == (False, "price_changed")
    assert holding.price != standard
    assert balance(alice) == 10_00 + payment.amount


def test_money_that_is_spent_meanwhile_is_not_there_for_the_change(alice, holding, standard, choose):
    payment = begin(holding, standard)
    choose(payment, "succeeds")
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.withdraw(10_00, key="spent", to="bank")
    confirmation.confirm(payment.pk, now=timezone.now() + timedelta(days=3))
    assert change_of(payment) == (False, "insufficient_funds")
    assert balance(alice) == payment.amount


def test_money_of_a_payment_that_was_given_up_changes_nothing(alice, holding, standard):
    payment = begin(holding, standard)
    payment = cancellation.cancel(payment, now=timezone.now())
    transitions.credit(payment, payment.money, now=timezone.now())
    assert change_of(payment) == (False, "too_late")
    assert balance(alice) == 10_00 + payment.amount
    assert found() == {}


def test_another_amount_that_staff_accept_is_a_top_up(alice, holding, standard):
    payment = begin(holding, standard)
    transitions.credit(payment, Money(payment.amount + 1, "RUB"), now=timezone.now())
    assert change_of(payment) == (False, "other_amount")
    assert found() == {}


def test_the_page_is_closed_when_the_subscription_is_changed_in_another_way(alice, holding, standard):
    payment = begin(holding, standard)
    assert open_orders.mark_ended(now=timezone.now()) == 0
    assert open_orders.is_wanted(payment, now=timezone.now())
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.change_quantity(holding, 2, when="period_end")
    assert not open_orders.is_wanted(payment, now=timezone.now())
    assert open_orders.mark_ended(now=timezone.now()) == 1
    reconciliation.check(Payment.objects.get(pk=payment.pk), now=timezone.now())
    payment.refresh_from_db()
    assert payment.status == "cancelled"


def test_no_page_is_opened_for_what_was_changed_meanwhile(alice, holding, standard, unsteady):
    unsteady.break_before = 1
    with pytest.raises(Exception, match="did not answer"):
        begin(holding, standard, idempotency_key="once")
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.cancel(holding)
    with pytest.raises(ChangedMeanwhile):
        begin(holding, standard, idempotency_key="once")
    assert Payment.objects.get().status == "cancelled"


def test_a_payment_for_a_suspended_subscription_is_not_one_for_its_change(alice, holding, standard, choose):
    """They are for the same subscription, of which only one payment is open: the later takes the place."""
    changing = begin(holding, standard)
    later = timezone.now() + timedelta(days=60)
    with books.open(alice, "RUB", now=later):
        pass
    holding.refresh_from_db()
    assert holding.status == "suspended"
    starting = checkout.start(alice, subscription=holding, now=later)
    changing.refresh_from_db()
    assert (changing.status, starting.amount) == ("cancelled", 980_00)


def test_the_change_is_made_once_however_often_the_gateway_says_so(holding, standard, choose):
    payment = arrive(begin(holding, standard), choose)
    made_at = PaidChange.objects.get().made_at
    for _again in range(2):
        confirmation.confirm(payment.pk, now=timezone.now())
    assert PaidChange.objects.get().made_at == made_at


@pytest.mark.parametrize("changes", [{"quantity": 0}, {"made_at": timezone.now(), "refusal": "too_late"}])
def test_the_database_refuses_a_change_that_cannot_be(holding, standard, changes):
    payment = begin(holding, standard)
    with pytest.raises(IntegrityError), transaction.atomic():
        PaidChange.objects.filter(payment=payment).update(**changes)


def test_a_change_that_was_not_decided_with_its_payment_is_found(holding, standard, choose):
    arrive(begin(holding, standard), choose)
    plant("payments_paidchange", "UPDATE payments_paidchange SET made_at = NULL")
    assert found() == {"a_change_is_decided_with_its_payment": 1}


def test_staff_see_what_became_of_the_change(client, superuser, alice, holding, standard, choose):
    client.force_login(superuser)
    payment = begin(holding, standard)
    page = f"/admin/payments/payment/{payment.pk}/change/"
    assert "Standard: Change of the plan." in client.get(page).content.decode()
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.cancel(holding)
    arrive(payment, choose)
    shown = client.get(page).content.decode()
    assert "Standard: Plan not changed. The subscription was changed in another way in the meantime." in shown

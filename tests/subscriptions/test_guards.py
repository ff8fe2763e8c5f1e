"""Database constraints and triggers of prices, subscriptions and charges: each test tries to break one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from subscriptions.models import Charge, Price, Subscription
from tests.subscriptions.shop import START, row, sell, wallet

pytestmark = pytest.mark.django_db

OTHER_TERMS: dict[str, Any] = {
    "amount": 1, "interval": "year", "interval_count": 2, "trial_days": 7, "grace_days": 2, "currency": "EUR",
    "version": 9, "metered": True, "used_at": None,
}  # fmt: skip


def refused(rule: str, break_it: Callable[[], object]) -> None:
    """Assert that the database refuses the statement and names the rule."""
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        break_it()
    assert getattr(error.value.__cause__, "diag").constraint_name == rule  # noqa: B009 - psycopg's, not Django's


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql)


@pytest.fixture
def price(alice: User) -> Price:
    return sell("basic", RUB=990_00)["RUB"]


@pytest.fixture
def subscription(alice: User, price: Price) -> Subscription:
    return row(alice, price)


@pytest.fixture
def charge(subscription: Subscription) -> Charge:
    return Charge.objects.create(
        customer_id=subscription.customer_id,
        subscription=subscription, price=subscription.price, period_start=START,
        period_end=START + timedelta(days=31), amount=0,
    )  # fmt: skip


@pytest.mark.parametrize("field", OTHER_TERMS)
def test_the_terms_of_a_used_price_cannot_change(subscription: Subscription, field: str) -> None:
    prices = Price.objects.filter(pk=subscription.price_id)
    refused("used_price_keeps_its_terms", lambda: prices.update(**{field: OTHER_TERMS[field]}))


def test_a_used_price_can_be_archived_but_not_deleted(price: Price, subscription: Subscription) -> None:
    assert Price.objects.filter(pk=price.pk).update(archived_at=START) == 1
    refused("used_price_is_never_deleted", lambda: run("DELETE FROM subscriptions_price"))
    refused("prices_are_never_truncated", lambda: run("TRUNCATE subscriptions_price CASCADE"))


def test_a_price_stays_used_after_its_last_subscription_leaves(subscription: Subscription) -> None:
    other = sell("standard", RUB=1990_00)["RUB"]
    left = subscription.price_id
    Subscription.objects.update(price=other)
    refused("used_price_keeps_its_terms", lambda: Price.objects.filter(pk=left).update(amount=1))
    refused("used_price_is_never_deleted", lambda: Price.objects.filter(pk=left).delete())
    refused("used_price_keeps_its_terms", lambda: Price.objects.filter(pk=other.pk).update(amount=1))


def test_a_scheduled_price_is_used(subscription: Subscription) -> None:
    other = sell("standard", RUB=1990_00)["RUB"]
    Subscription.objects.update(scheduled_price=other)
    refused("used_price_keeps_its_terms", lambda: Price.objects.filter(pk=other.pk).update(amount=1))


def test_an_unused_price_can_be_changed_and_deleted(price: Price) -> None:
    assert Price.objects.filter(pk=price.pk).update(amount=1) == 1
    assert price.delete()[0] == 1


@pytest.mark.parametrize("interval", ["second", "minute"])
def test_advance_prices_cannot_use_seconds_or_minutes(price: Price, interval: str) -> None:
    prices = Price.objects.filter(pk=price.pk)
    refused("advance_price_is_for_an_hour_or_longer", lambda: prices.update(interval=interval))
    assert prices.update(interval=interval, metered=True) == 1
    refused("advance_price_is_for_an_hour_or_longer", lambda: prices.update(metered=False))


@pytest.mark.parametrize("field", ["periods", "public_id"])
def test_periods_and_public_id_cannot_change(subscription: Subscription, field: str) -> None:
    refused("subscription_keeps_what_was_bought", lambda: Subscription.objects.update(**{field: 7}))


def test_a_subscription_cannot_change_its_customer_or_wallet(subscription: Subscription, mallory: User) -> None:
    other_wallet = wallet(mallory, "RUB")
    refused("subscription_keeps_what_was_bought", lambda: Subscription.objects.update(customer=mallory))
    refused("subscription_keeps_what_was_bought", lambda: Subscription.objects.update(wallet=other_wallet))
    refused(
        "subscription_keeps_what_was_bought", lambda: Subscription.objects.update(customer=mallory, wallet=other_wallet)
    )


def test_a_final_subscription_stays_final(alice: User, price: Price) -> None:
    row(alice, price, status="cancelled", ended_at=START)
    refused("final_subscription_stays_final", lambda: Subscription.objects.update(status="pending", ended_at=None))
    refused("final_subscription_stays_final", lambda: Subscription.objects.update(status="expired"))
    assert Subscription.objects.update(auto_renew=False) == 1


@pytest.mark.parametrize("status", ["pending", "suspended"])
def test_what_waits_for_money_has_an_end(subscription: Subscription, status: str) -> None:
    assert Subscription.objects.update(status=status) == 1
    refused("waiting_has_an_end", lambda: Subscription.objects.update(wait_end=None))


def test_quantities_are_one_or_more(subscription: Subscription) -> None:
    refused("subscription_quantity_is_one_or_more", lambda: Subscription.objects.update(quantity=0))
    refused("scheduled_quantity_is_one_or_more", lambda: Subscription.objects.update(scheduled_quantity=0))


def test_credit_is_zero_or_more(subscription: Subscription) -> None:
    refused("credit_is_zero_or_more", lambda: Subscription.objects.update(credit=-1))


def test_a_charge_has_a_span(charge: Charge) -> None:
    refused("charge_has_a_span", lambda: Charge.objects.create(
        customer_id=charge.customer_id, subscription=charge.subscription, price=charge.price, amount=0,
        period_start=START + timedelta(days=40), period_end=START + timedelta(days=40),
    ))  # fmt: skip


def test_a_subscription_cannot_be_deleted(subscription: Subscription) -> None:
    refused("subscription_is_never_deleted", lambda: run("DELETE FROM subscriptions_subscription"))
    refused("subscriptions_are_never_truncated", lambda: run("TRUNCATE subscriptions_subscription CASCADE"))


def test_a_subscription_must_use_its_customers_wallet(alice: User, mallory: User, price: Price) -> None:
    other_wallet, rule = wallet(mallory, "RUB"), "subscription_draws_on_its_customers_wallet"
    refused(rule, lambda: row(alice, price, wallet=other_wallet))
    refused(rule, lambda: row(alice, price, wallet_id=987654321))


def test_a_subscription_has_one_currency(alice: User, price: Price) -> None:
    euro = sell("basic", EUR=9_99)["EUR"]
    rule = "subscription_has_one_currency"
    refused(rule, lambda: row(alice, euro, wallet=wallet(alice, "RUB")))
    row(alice, price)
    refused(rule, lambda: Subscription.objects.update(price=euro))
    refused(rule, lambda: Subscription.objects.update(scheduled_price=euro))


@pytest.mark.parametrize(
    "field",
    ["amount", "period_start", "period_end", "price_id", "quantity", "credit_before", "full_length", "customer_id"],
)
def test_a_charge_cannot_be_edited(charge: Charge, field: str) -> None:
    other = START + timedelta(hours=1) if field.startswith("period") else 5
    refused("charge_is_written_once", lambda: Charge.objects.update(**{field: other}))


def test_the_end_and_the_refund_of_a_charge_are_set_once(charge: Charge) -> None:
    early, later = START + timedelta(days=2), START + timedelta(days=3)
    assert Charge.objects.update(ended_at=early) == 1
    assert Charge.objects.update(refund_id=41) == 1
    for change in ({"ended_at": later}, {"ended_at": None}, {"refund_id": 42}, {"refund_id": None}):
        refused("charge_ends_and_is_refunded_once", lambda change=change: Charge.objects.update(**change))  # type: ignore[misc]


def test_a_charge_cannot_be_deleted(charge: Charge) -> None:
    refused("charge_is_never_deleted", lambda: run("DELETE FROM subscriptions_charge"))
    refused("charges_are_never_truncated", lambda: run("TRUNCATE subscriptions_charge"))


def test_inserting_a_charge_fires_no_trigger() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'subscriptions_charge'::regclass"
            " AND NOT tgisinternal AND tgtype & 4 = 4"  # 4: INSERT
        )
        assert cursor.fetchall() == []

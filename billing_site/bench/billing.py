"""The billing run, two other ways to write the same rows, and the engine by itself."""

import time
from typing import Any

from django.db import connection, transaction

from billing_site.bench.database import DUE, PRICE
from events.models import Event
from ledger.models import Account, Transaction
from subscriptions import billing_run
from subscriptions.engine import funds, operations
from subscriptions.engine.book import Book, Journal
from subscriptions.engine.calendar import plus, to_datetime, to_micros
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Sub, Terms
from subscriptions.models import BillingClock, Charge, Subscription

MONTHLY = Terms("monthly", "monthly", 9_900, "month")
HOURLY = Terms("hourly", "hourly", 150, "hour", metered=True)

# The whole run in one statement, as one could write it by hand if every wallet were known to hold enough.
SET_BASED = """
    WITH due AS (
        SELECT s.id, s.customer_id, s.wallet_id, s.public_id, s.price_id, s.period_end AS start,
               s.anchor_at + (s.period_number + 1) * interval '1 month' AS stop, s.period_number, s.entry_count,
               p.amount, wallet.balance
        FROM subscriptions_billingclock AS book
        JOIN ledger_account AS wallet ON wallet.id = book.wallet_id
        JOIN subscriptions_subscription AS s ON s.wallet_id = book.wallet_id
        JOIN subscriptions_price AS p ON p.id = s.price_id
        WHERE book.due_at <= %(now)s AND s.status = 'active' AND wallet.balance >= p.amount
        ORDER BY wallet.id FOR NO KEY UPDATE OF wallet
    ), posted AS (
        INSERT INTO ledger_transaction (key, debit_id, credit_id, amount, currency, reason, description, wallet_id,
            balance_after, customer_id, effective_at)
        SELECT 'charge:' || id || ':' || (extract(epoch FROM start) * 1000000)::bigint || ':' || entry_count, wallet_id,
            (SELECT id FROM ledger_account WHERE kind = 'revenue' AND currency = 'RUB'), amount, 'RUB', 'charge', '',
            wallet_id, balance - amount, customer_id, start
        FROM due RETURNING id, wallet_id
    ), charged AS (
        INSERT INTO subscriptions_charge (customer_id, subscription_id, price_id, transaction_id, period_start,
            period_end, amount, quantity, full_length)
        SELECT customer_id, due.id, price_id, posted.id, start, stop, amount, 1,
            (extract(epoch FROM stop - start) * 1000000)::bigint
        FROM due JOIN posted USING (wallet_id)
    ), renewed AS (
        UPDATE subscriptions_subscription AS s
        SET period_number = due.period_number + 1, period_start = start, period_end = stop, period_paid = amount,
            period_net = amount, charge_start = start,
            period_length = (extract(epoch FROM stop - start) * 1000000)::bigint, entry_count = due.entry_count + 1
        FROM due WHERE s.id = due.id
    ), recorded AS (
        INSERT INTO events_event (customer_id, type, subject, data, effective_at)
        SELECT customer_id, 'subscription.renewed', public_id, jsonb_build_object('from', 'active', 'to', 'active'),
            start
        FROM due
    )
    UPDATE subscriptions_billingclock AS book SET settled_at = %(now)s, due_at = stop FROM due
    WHERE book.wallet_id = due.wallet_id
"""


def run(batch: int) -> dict[str, Any]:
    """Bill every due subscription with the product's own billing run."""
    began = time.perf_counter()
    total = billing_run.run_due(now=DUE, batch=batch)
    return {"seconds": time.perf_counter() - began, "rows": total.books}


def set_based() -> dict[str, Any]:
    """Write the same rows with one statement."""
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SET_BASED, {"now": DUE})
        rows = cursor.rowcount
    return {"seconds": time.perf_counter() - began, "rows": rows}


def naive(limit: int) -> dict[str, Any]:
    """Write the same rows as most systems do: one ORM transaction for each of `limit` subscriptions."""
    due = Subscription.objects.filter(status="active", period_end__lte=DUE).order_by("pk")[:limit]
    revenue = Account.objects.get(kind="revenue", currency="RUB")
    began = time.perf_counter()
    for subscription in list(due):
        _renew(subscription.pk, revenue)
    return {"seconds": time.perf_counter() - began, "rows": limit}


@transaction.atomic
def _renew(pk: int, revenue: Account) -> None:
    """Renew one subscription: lock it and its wallet, then write."""
    subscription = Subscription.objects.select_related("price").select_for_update(of=("self",)).get(pk=pk)
    wallet = Account.objects.select_for_update(no_key=True).get(pk=subscription.wallet_id)
    price, start, anchor = subscription.price, subscription.period_end, subscription.anchor_at
    assert start is not None
    assert anchor is not None
    number = subscription.period_number + 1
    stop = to_datetime(plus(to_micros(anchor), price.interval, number))
    posted = Transaction.objects.create(
        key=f"charge:{pk}:{to_micros(start)}:{subscription.entry_count}", debit=wallet, credit=revenue, amount=PRICE,
        currency="RUB", reason="charge", wallet=wallet, balance_after=(wallet.balance or 0) - PRICE,
        customer_id=subscription.customer_id, effective_at=start,
    )  # fmt: skip
    Charge.objects.create(
        customer_id=subscription.customer_id,
        subscription=subscription,
        price=price,
        transaction=posted,
        period_start=start,
        period_end=stop,
        amount=PRICE,
        full_length=to_micros(stop) - to_micros(start),
    )
    subscription.period_paid = subscription.period_net = PRICE
    subscription.charge_start, subscription.period_length = start, to_micros(stop) - to_micros(start)
    subscription.period_number, subscription.period_start, subscription.period_end = number, start, stop
    subscription.entry_count += 1
    subscription.save()
    Event.objects.create(
        customer_id=subscription.customer_id, type="subscription.renewed", subject=subscription.public_id,
        data={"from": "active", "to": "active"}, effective_at=start,
    )  # fmt: skip
    BillingClock.objects.filter(pk=wallet.pk).update(settled_at=DUE, due_at=stop)


def settle_months(books: int, months: int) -> dict[str, Any]:
    """Settle books with a monthly and an hourly subscription, month by month, without a database."""
    filled = [_new_book() for _ in range(books)]
    began = time.perf_counter()
    for month in range(1, months + 1):
        now = plus(0, "month", month)
        for book in filled:
            settle(book, now)
            book.journal = Journal()
    return {"seconds": time.perf_counter() - began, "rows": books * months * 2}


def _new_book() -> Book:
    """Return a funded book with two subscriptions."""
    book = Book()
    funds.top_up(book, 0, 10**9)
    for terms in (MONTHLY, HOURLY):
        operations.subscribe(book, 0, Sub(terms.id, terms))
    return book

"""Fill a database for the staff desk: customers with names, payments, charges and events, by set-based SQL."""

from django.db import connection
from django.utils import timezone

from billing_site.bench import database
from subscriptions import daily

# Wallets whose history is written by one statement.
PART = 20_000
AMOUNT = 100_00

NAMES = """
    UPDATE accounts_user
    SET first_name = (ARRAY['Anna', 'Boris', 'Clara', 'Dmitri', 'Elena', 'Felix', 'Greta', 'Hugo'])[1 + id % 8],
        last_name = 'Petrov' || id
"""
CLEARING = """
    INSERT INTO ledger_account (kind, code, currency) VALUES ('gateway_clearing', 'gateway_clearing:sandbox', 'RUB')
"""
# A payment and a charge of the same sum by turns, so that the balance after each row is known beforehand.
HISTORY = """
    INSERT INTO ledger_transaction (key, debit_id, credit_id, amount, currency, reason, description, wallet_id,
        balance_after, customer_id, effective_at)
    SELECT CASE WHEN n %% 2 = 1 THEN 'payment:pay_' || lpad((wallet.id * 10000 + n)::text, 26, '0')
                ELSE 'charge:' || wallet.id || ':' || n END,
        CASE WHEN n %% 2 = 1 THEN clearing.id ELSE wallet.id END,
        CASE WHEN n %% 2 = 1 THEN wallet.id ELSE revenue.id END,
        %(amount)s, 'RUB', CASE WHEN n %% 2 = 1 THEN 'top_up' ELSE 'charge' END, '', wallet.id,
        wallet.balance + CASE WHEN n %% 2 = 1 THEN %(amount)s ELSE 0 END, wallet.owner_id,
        %(started)s + n * interval '1 day'
    FROM ledger_account AS wallet, ledger_account AS clearing, ledger_account AS revenue,
        generate_series(1, %(rows)s) AS n
    WHERE wallet.kind = 'wallet' AND wallet.id BETWEEN %(first)s AND %(last)s AND clearing.kind = 'gateway_clearing'
        AND revenue.kind = 'revenue'
    ORDER BY n, wallet.id
"""
PAYMENTS = """
    INSERT INTO payments_payment (public_id, customer_id, amount, currency, status, description, opened_subscription,
        order_amount, purpose, decline, gateway, gateway_id, gateway_state, confirmation_url, language, failure_code,
        parked_reason, amount_received, received_currency, amount_refunded, fee_currency, save_method, created_at,
        expires_at, updated_at, confirmed_at, checks, failures)
    SELECT substr(key, 9), customer_id, amount, currency, 'confirmed', '', false, 0, '', '', 'sandbox',
        'cs_bench_' || substr(key, 13), 'paid', '', 'en', '', '', amount, currency, 0, '', false, effective_at,
        effective_at + interval '1 day', effective_at, effective_at, 0, 0
    FROM ledger_transaction WHERE reason = 'top_up' ORDER BY id
"""
CHARGES = """
    INSERT INTO subscriptions_charge (customer_id, subscription_id, price_id, transaction_id, period_start, period_end,
        amount, quantity, full_length)
    SELECT row.customer_id, subscription.id, subscription.price_id, row.id, row.effective_at + interval '60 days',
        row.effective_at + interval '61 days', row.amount, 1, 86400000000
    FROM ledger_transaction AS row JOIN subscriptions_subscription AS subscription USING (wallet_id)
    WHERE row.reason = 'charge' AND row.key NOT LIKE '%:first' ORDER BY row.id
"""
EVENTS = """
    INSERT INTO events_event (customer_id, type, subject, data, effective_at)
    SELECT customer_id, 'payment.confirmed', public_id, '{}', confirmed_at FROM payments_payment ORDER BY id
"""
# All of it was written long ago, so that the last night has rolled it up.
LONG_AGO = "UPDATE events_event SET created_at = effective_at"


def fill(customers: int, transactions: int) -> None:
    """Create so many customers with a subscription each, and about so many transactions: payments and charges."""
    database.fill(customers)
    # Each wallet has its funding and a first charge already.
    rows = max(transactions // customers - 2, 2)
    with connection.cursor() as cursor:
        cursor.execute(NAMES)
        cursor.execute(CLEARING)
        cursor.execute("SELECT min(id), max(id) FROM ledger_account WHERE kind = 'wallet'")
        least, most = cursor.fetchone()
        for first in range(least, most + 1, PART):
            span = {"first": first, "last": first + PART - 1, "rows": rows}
            cursor.execute(HISTORY, span | {"amount": AMOUNT, "started": database.STARTED})
        # A payment begins as pending; these were confirmed long ago.
        cursor.execute("ALTER TABLE payments_payment DISABLE TRIGGER USER")
        for statement in (PAYMENTS, CHARGES, EVENTS):
            cursor.execute(statement)
        cursor.execute("ALTER TABLE payments_payment ENABLE TRIGGER USER")
        cursor.execute("ALTER TABLE events_event DISABLE TRIGGER USER")
        cursor.execute(LONG_AGO)
        cursor.execute("ALTER TABLE events_event ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE payments_payment")
    database.tidy()
    daily.roll_up(now=timezone.now())

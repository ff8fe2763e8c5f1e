"""The databases of a measurement: created, filled with customers and due subscriptions by set-based SQL, dropped."""

from datetime import UTC, datetime
from urllib.parse import quote

from django.core.management import call_command
from django.db import connection, connections

# All periods end at this instant, so that a run at it finds every book due once.
DUE = datetime(2026, 3, 1, tzinfo=UTC)
STARTED = datetime(2026, 2, 1, tzinfo=UTC)
PRICE = 9_900
FUNDS = 1_000_000

PLAN = """
    INSERT INTO subscriptions_plan (id, code, name, name_ru, description, description_ru, features, features_ru,
        is_highlighted, is_public, position)
    VALUES (1, 'basic', 'Basic', '', '', '', '[]', '[]', false, true, 0)
"""
PRICE_ROW = """
    INSERT INTO subscriptions_price (id, plan_id, version, currency, amount, interval, interval_count, metered,
        trial_days, grace_days, keep_days, trial_quantity_max, can_pause, can_refund_unused)
    VALUES (1, 1, 1, 'RUB', %s, 'month', 1, false, 0, 0, 30, 10, false, true)
"""
USERS = """
    INSERT INTO accounts_user (id, username, email, password, first_name, last_name, is_superuser, is_staff, is_active,
        date_joined, language, token_version)
    SELECT n, 'user' || n, 'user' || n || '@example.com', '!', '', '', false, false, true, %s, 'en', 0
    FROM generate_series(1, %s) AS n
"""
WALLETS = """
    INSERT INTO ledger_account (owner_id, kind, code, currency, balance)
    SELECT n, 'wallet', '', 'RUB', 0 FROM generate_series(1, %s) AS n
"""
SYSTEM_ACCOUNTS = """
    INSERT INTO ledger_account (kind, code, currency)
    VALUES ('promotions', 'promotions', 'RUB'), ('revenue', 'revenue', 'RUB')
"""
FUNDING = """
    INSERT INTO ledger_transaction (key, debit_id, credit_id, amount, currency, reason, description, wallet_id,
        balance_after, customer_id, effective_at)
    SELECT 'fund:' || wallet.id, (SELECT id FROM ledger_account WHERE kind = 'promotions'), wallet.id, %s,
        'RUB', 'promotion', '', wallet.id, %s, wallet.owner_id, %s
    FROM ledger_account AS wallet WHERE kind = 'wallet'
"""
FIRST_CHARGES = """
    WITH posted AS (
        INSERT INTO ledger_transaction (key, debit_id, credit_id, amount, currency, reason, description, wallet_id,
            balance_after, customer_id, effective_at)
        SELECT 'charge:' || s.id || ':first', s.wallet_id, (SELECT id FROM ledger_account WHERE kind = 'revenue'), %s,
            'RUB', 'charge', '', s.wallet_id, %s, s.customer_id, %s
        FROM subscriptions_subscription AS s RETURNING id, wallet_id, amount
    ), recorded AS (
        INSERT INTO events_event (customer_id, type, subject, data, effective_at)
        SELECT customer_id, 'subscription.activated', public_id, '{"from": "pending", "to": "active"}', started_at
        FROM subscriptions_subscription
    )
    INSERT INTO subscriptions_charge (customer_id, subscription_id, price_id, transaction_id, period_start, period_end,
            amount, quantity, full_length)
    SELECT s.customer_id, s.id, s.price_id, posted.id, s.period_start, s.period_end, posted.amount, 1, s.period_length
    FROM subscriptions_subscription AS s JOIN posted USING (wallet_id)
"""
SUBSCRIPTIONS = """
    INSERT INTO subscriptions_subscription (public_id, customer_id, wallet_id, price_id, quantity, periods, auto_renew,
        status, created_at, anchor_at, period_number, period_start, period_end, period_paid, period_length, credit,
        cancel_requested, started_at, entry_count, period_net, charge_start, is_held)
    SELECT 'sub_' || id, owner_id, id, 1, 1, 1, true, 'active', %s, %s, 1, %s, %s, %s,
        (extract(epoch FROM %s::timestamptz - %s::timestamptz) * 1000000)::bigint, 0, false, %s, 1,
        %s, %s, false
    FROM ledger_account WHERE kind = 'wallet'
"""
BOOKS = """
    INSERT INTO subscriptions_billingclock (wallet_id, customer_id, settled_at, due_at, parked_reason)
    SELECT id, owner_id, %s, %s, '' FROM ledger_account WHERE kind = 'wallet'
"""
TABLES = (
    "accounts_user", "ledger_account", "ledger_transaction", "subscriptions_subscription", "subscriptions_billingclock",
    "subscriptions_charge", "events_event",
)  # fmt: skip


def url(name: str) -> str:
    """Return the URL of another database on the same server."""
    server = connection.settings_dict
    user = quote(server["USER"]) + (":" + quote(server["PASSWORD"]) if server["PASSWORD"] else "")
    host = server["OPTIONS"].get("host") or server["HOST"]
    return f"postgresql://{user}@/{name}?host={quote(str(host))}" + (
        f"&port={server['PORT']}" if server["PORT"] else ""
    )


def create(name: str, template: str) -> None:
    """Create a database as a copy of another; drop an older one of that name first."""
    drop(name)
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def drop(name: str) -> None:
    """Drop a database if it exists, and end its sessions."""
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def drop_all() -> None:
    """Drop every database of the bench."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'bench_%'")
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        drop(name)


def migrate() -> None:
    """Create the tables in the database of this process."""
    call_command("migrate", verbosity=0)
    connections.close_all()


def fill(customers: int) -> None:
    """Create that many customers, each with a funded wallet and one monthly subscription due at DUE."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(PLAN)
        cursor.execute(PRICE_ROW, [PRICE])
        cursor.execute(USERS, [STARTED, customers])
        cursor.execute("SELECT setval(pg_get_serial_sequence('accounts_user', 'id'), %s)", [customers])
        cursor.execute(SYSTEM_ACCOUNTS)
        cursor.execute(WALLETS, [customers])
        cursor.execute(FUNDING, [FUNDS + PRICE, FUNDS + PRICE, STARTED])
        cursor.execute(SUBSCRIPTIONS, [STARTED, STARTED, STARTED, DUE, PRICE, DUE, STARTED, STARTED, PRICE, STARTED])
        cursor.execute(FIRST_CHARGES, [PRICE, FUNDS, STARTED])
        cursor.execute(BOOKS, [STARTED, DUE])
    tidy()


def tidy() -> None:
    """Vacuum and analyse, so that no measurement pays for the rows written before it."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute("CHECKPOINT")

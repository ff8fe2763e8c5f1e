"""The sweep of collections: how long it takes to find the wallets that have changed, and to look at one."""

import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

from django.db import connection

from billing_site.bench.database import DUE, STARTED
from payments.collection import plans
from payments.models import CollectionPlan

METHODS = """
    INSERT INTO payments_paymentmethod (public_id, customer_id, gateway, gateway_id, gateway_owner, brand, last4,
        created_at, checks, failures, parked_reason, is_default, refused_code)
    SELECT 'pm_' || id, id, 'sandbox', 'card_' || id, '', 'Visa', '4242', %s, 0, 0, '', true, '' FROM accounts_user
"""
CONSENTS = """
    INSERT INTO payments_consent (public_id, customer_id, method_id, purpose, currency, words, language, version,
        given_at)
    SELECT 'con_' || id, customer_id, id, 'renewals', '', 'I agree', 'en', 1, created_at FROM payments_paymentmethod
"""
# As the first look at each wallet leaves them: nothing is due before the renewal comes near.
SEEN = """
    UPDATE payments_collectionplan AS plan
    SET check_at = %s, seen_settled_at = clock.settled_at, seen_balance = wallet.balance
    FROM ledger_account AS wallet JOIN subscriptions_billingclock AS clock ON clock.wallet_id = wallet.id
    WHERE wallet.id = plan.wallet_id
"""
TABLES = ("payments_paymentmethod", "payments_consent", "payments_collectionplan")
NOW = STARTED + timedelta(days=1)
TURNS = 5


def sweep(changed: int) -> dict[str, Any]:
    """Find which wallets have changed, none at first, then so many, and look at those. All customers have agreed."""
    _agree()
    idle = [_seconds(lambda: plans.mark_changed(now=NOW)) for _turn in range(TURNS)]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE subscriptions_billingclock SET settled_at = %s WHERE wallet_id IN "
            "(SELECT wallet_id FROM subscriptions_billingclock ORDER BY wallet_id LIMIT %s)", [NOW, changed],
        )  # fmt: skip
    busy = _seconds(lambda: plans.mark_changed(now=NOW))
    assert CollectionPlan.objects.filter(check_at=NOW).count() == changed
    looking = _seconds(lambda: plans.check_due(now=NOW)) - median(idle)
    return {"idle": median(idle), "busy": busy, "seconds": looking, "rows": changed}


def _agree() -> None:
    """Let every customer of the database have a card and a consent, and a plan that is up to date."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(METHODS, [STARTED])
        cursor.execute(CONSENTS)
        plans.mark_changed(now=NOW)
        cursor.execute(SEEN, [DUE - timedelta(days=1)])
        for table in TABLES:
            cursor.execute(f"VACUUM ANALYZE {table}")


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began

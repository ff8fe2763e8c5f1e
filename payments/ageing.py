"""Ageing of gateway clearing: what gateways still owe us, how old it is, and from which payments.

Payments, refunds that came back and won disputes raise what a gateway owes; refunds, disputes, fees and payouts settle
it, the oldest first. What stays for more than a few days is a payout, a fee or a refund that we have not heard of, or
money that the gateway has changed into another currency.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from ledger.money import Money

# Buckets in whole days; the last one has no end.
BUCKETS = ("0-2", "3-7", "8-30", "over 30")
# How many of the oldest open movements are named.
NAMED = 5

# Movements of each side in order of time, with the running sum of their side. What lies within the sum of the other
# side is settled. Both sides are treated alike, because a gateway may also have paid out more than it took.
AGEING = """
    WITH clearing AS (
        SELECT id, split_part(code, ':', 2) AS gateway, currency FROM ledger_account WHERE kind = 'gateway_clearing'
    ), movement AS (
        SELECT clearing.id AS account, row.id, key, effective_at, amount, 1 AS sign
          FROM clearing JOIN ledger_transaction AS row ON row.debit_id = clearing.id
         UNION ALL
        SELECT clearing.id, row.id, key, effective_at, amount, -1
          FROM clearing JOIN ledger_transaction AS row ON row.credit_id = clearing.id
    ), running AS (
        SELECT movement.*, sum(amount) OVER (PARTITION BY account, sign ORDER BY effective_at, id) AS reached
          FROM movement
    ), total AS (
        SELECT account, sign, sum(amount) AS amount FROM movement GROUP BY account, sign
    ), open AS (
        SELECT running.account, running.key, running.effective_at,
               (running.sign * least(running.amount, reached - coalesce(other.amount, 0)))::bigint AS amount,
               floor(extract(epoch FROM %(now)s - running.effective_at) / 86400) AS days,
               row_number() OVER (PARTITION BY running.account ORDER BY running.effective_at, running.id) AS place
          FROM running
          LEFT JOIN total AS other ON other.account = running.account AND other.sign = -running.sign
         WHERE reached > coalesce(other.amount, 0)
    )
    SELECT clearing.gateway, clearing.currency, coalesce(sum(amount), 0)::bigint,
           coalesce(sum(amount) FILTER (WHERE days < 3), 0)::bigint,
           coalesce(sum(amount) FILTER (WHERE days BETWEEN 3 AND 7), 0)::bigint,
           coalesce(sum(amount) FILTER (WHERE days BETWEEN 8 AND 30), 0)::bigint,
           coalesce(sum(amount) FILTER (WHERE days > 30), 0)::bigint,
           array_agg(key ORDER BY place) FILTER (WHERE place <= %(named)s),
           array_agg(effective_at ORDER BY place) FILTER (WHERE place <= %(named)s),
           array_agg(amount ORDER BY place) FILTER (WHERE place <= %(named)s)
      FROM clearing LEFT JOIN open ON open.account = clearing.id
     GROUP BY clearing.id, clearing.gateway, clearing.currency
     ORDER BY clearing.gateway, clearing.currency
"""

# Money whose fee is in another currency was changed into that one by the gateway, which then pays it out.
EXCHANGED = """
    SELECT gateway, received_currency, fee_currency, sum(amount_received)::bigint, count(*)
      FROM payments_payment
     WHERE fee IS NOT NULL AND fee_currency <> received_currency AND status = 'confirmed'
     GROUP BY gateway, received_currency, fee_currency ORDER BY gateway, received_currency, fee_currency
"""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Payments in one currency that a gateway has changed into another one, in which it pays out."""

    gateway: str
    money: Money
    into: str
    payments: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement that is not settled: `money` is what is open of it."""

    # The payment's public id, or the transaction's key for anything else: `dispute:dsp_...:back`.
    name: str
    at: datetime
    money: Money


@dataclass(frozen=True, slots=True)
class Ageing:
    """One gateway's clearing account in one currency."""

    gateway: str
    # Above zero: the gateway owes us. Below: it has paid out or given back more than it took, as far as we know.
    balance: Money
    # The balance by age, in the order of BUCKETS; minor units of its currency.
    buckets: tuple[int, ...]
    # The oldest movements that make up the balance, at most NAMED.
    oldest: tuple[Movement, ...]


def ageing(*, now: datetime) -> list[Ageing]:
    """Return the clearing account of each gateway and currency, those at zero too, by gateway and currency."""
    with connection.cursor() as cursor:
        cursor.execute(AGEING, {"now": now, "named": NAMED})
        rows = cursor.fetchall()
    return [
        Ageing(gateway, Money(balance, currency), tuple(buckets), _movements(currency, *oldest))
        for gateway, currency, balance, *buckets, keys, instants, amounts in rows
        for oldest in [(keys or [], instants or [], amounts or [])]
    ]


def exchanged() -> list[Exchange]:
    """Return what gateways have changed into other currencies: it comes back to zero in neither of the two."""
    with connection.cursor() as cursor:
        cursor.execute(EXCHANGED)
        rows = cursor.fetchall()
    return [Exchange(gateway, Money(amount, currency), into, count) for gateway, currency, into, amount, count in rows]


def _movements(currency: str, keys: list[str], instants: list[datetime], amounts: list[int]) -> tuple[Movement, ...]:
    return tuple(
        Movement(key.removeprefix("payment:"), at, Money(amount, currency))
        for key, at, amount in zip(keys, instants, amounts, strict=True)
    )

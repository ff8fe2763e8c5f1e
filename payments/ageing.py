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
# How many of the oldest open movements are named, and how many of each bucket are listed.
NAMED, LISTED = 5, 200

# Movements of each side in order of time, with the running sum of their side. What lies within the sum of the other
# side is settled. Both sides are treated alike, because a gateway may also have paid out more than it took. One row for
# each bucket with something in it, and one without a bucket for an account that is at zero.
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
        SELECT running.account, running.id, running.key, running.effective_at, running.sign * running.amount AS whole,
               (running.sign * least(running.amount, reached - coalesce(other.amount, 0)))::bigint AS amount,
               width_bucket(
                   floor(extract(epoch FROM %(now)s - running.effective_at) / 86400), ARRAY[3, 8, 31]
               ) AS bucket
          FROM running
          LEFT JOIN total AS other ON other.account = running.account AND other.sign = -running.sign
         WHERE reached > coalesce(other.amount, 0)
    ), placed AS (
        SELECT open.*, row_number() OVER (PARTITION BY account, bucket ORDER BY effective_at, id) AS place FROM open
    )
    SELECT clearing.gateway, clearing.currency, bucket, coalesce(sum(amount), 0)::bigint, count(bucket),
           array_agg(placed.id ORDER BY place) FILTER (WHERE place <= %(listed)s),
           array_agg(key ORDER BY place) FILTER (WHERE place <= %(listed)s),
           array_agg(effective_at ORDER BY place) FILTER (WHERE place <= %(listed)s),
           array_agg(whole ORDER BY place) FILTER (WHERE place <= %(listed)s),
           array_agg(amount ORDER BY place) FILTER (WHERE place <= %(listed)s)
      FROM clearing LEFT JOIN placed ON placed.account = clearing.id
     GROUP BY clearing.id, clearing.gateway, clearing.currency, bucket
     ORDER BY clearing.gateway, clearing.currency, bucket
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
    """A movement that is not settled: `money` is what is open of it, `whole` all of it."""

    # The payment's public id, or the transaction's key for anything else: `dispute:dsp_...:back`.
    name: str
    at: datetime
    money: Money
    whole: Money
    transaction_id: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is open of one age: the sum in minor units, how many movements make it up, and the LISTED oldest of them."""

    amount: int = 0
    count: int = 0
    listed: tuple[Movement, ...] = ()


@dataclass(frozen=True, slots=True)
class Ageing:
    """One gateway's clearing account in one currency."""

    gateway: str
    currency: str
    # In the order of BUCKETS.
    buckets: tuple[Bucket, ...]

    @property
    def balance(self) -> Money:
        """Above zero: the gateway owes us. Below: as far as we know, it has given out more than it took."""
        return Money(sum(self.amounts), self.currency)

    @property
    def amounts(self) -> tuple[int, ...]:
        """The balance by age, in the order of BUCKETS; minor units of its currency."""
        return tuple(bucket.amount for bucket in self.buckets)

    @property
    def oldest(self) -> tuple[Movement, ...]:
        """The oldest movements that make up the balance, at most NAMED."""
        return tuple(movement for bucket in reversed(self.buckets) for movement in bucket.listed)[:NAMED]


def ageing(*, now: datetime) -> list[Ageing]:
    """Return the clearing account of each gateway and currency, those at zero too, by gateway and currency."""
    with connection.cursor() as cursor:
        cursor.execute(AGEING, {"now": now, "listed": LISTED})
        rows = cursor.fetchall()
    found: dict[tuple[str, str], list[Bucket]] = {}
    for gateway, currency, place, amount, count, *columns in rows:
        buckets = found.setdefault((gateway, currency), [Bucket() for _ in BUCKETS])
        if place is not None:
            buckets[place] = Bucket(amount, count, _movements(currency, *columns))
    return [Ageing(gateway, currency, tuple(buckets)) for (gateway, currency), buckets in found.items()]


def exchanged() -> list[Exchange]:
    """Return what gateways have changed into other currencies: it comes back to zero in neither of the two."""
    with connection.cursor() as cursor:
        cursor.execute(EXCHANGED)
        rows = cursor.fetchall()
    return [Exchange(gateway, Money(amount, currency), into, count) for gateway, currency, into, amount, count in rows]


def _movements(
    currency: str, ids: list[int], keys: list[str], instants: list[datetime], wholes: list[int], amounts: list[int]
) -> tuple[Movement, ...]:
    return tuple(
        Movement(key.removeprefix("payment:"), at, Money(amount, currency), Money(whole, currency), pk)
        for pk, key, at, whole, amount in zip(ids, keys, instants, wholes, amounts, strict=True)
    )

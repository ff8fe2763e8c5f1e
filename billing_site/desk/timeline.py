"""All that happened to a customer, newest first, in one statement. Charges are folded by day and plan.

A page costs the same however long the history is: each kind is read from its newest row on, and charges only on the
days that the page can show.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from events.act_titles import title_of
from events.mails import kinds
from events.models import Event, Mail, StaffAct
from events.names import event_name
from ledger.display import money
from ledger.labels import REASONS
from ledger.models import Transaction
from ledger.money import Money
from payments.models import Dispute, Payment, Refund, WebhookEvent

SHOWN = 50
PAGE = re.compile(r"([0-9]{1,18})\.([0-9]{1,2})\.([0-9]{1,18})")
END = datetime(9990, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# Each part has the columns at, rank, id, what, name, note, amount, currency, count. A cursor is (at, rank, id).
_HEAD = """
WITH RECURSIVE owned AS (SELECT id, kind FROM ledger_account WHERE owner_id = %(customer)s),
wallets AS (SELECT id FROM owned WHERE kind = 'wallet'),
days (last, number) AS (
    SELECT (SELECT max(found.at) FROM wallets, LATERAL (
        SELECT effective_at AS at FROM ledger_transaction
         WHERE wallet_id = wallets.id AND reason = 'charge' AND effective_at < %(day_end)s
         ORDER BY effective_at DESC, id DESC LIMIT 1) AS found), 1
    UNION ALL
    SELECT (SELECT max(found.at) FROM wallets, LATERAL (
        SELECT effective_at AS at FROM ledger_transaction
         WHERE wallet_id = wallets.id AND reason = 'charge' AND effective_at < date_trunc('day', days.last, %(zone)s)
         ORDER BY effective_at DESC, id DESC LIMIT 1) AS found), days.number + 1
    FROM days WHERE days.last IS NOT NULL AND days.number <= %(limit)s
)
"""
_ORDER = "ORDER BY at DESC, rank DESC, id DESC LIMIT %(limit)s"
_PART = f"(SELECT * FROM ({{}}) AS part WHERE (at, rank, id) < (%(at)s, %(rank)s, %(id)s) {_ORDER})"  # noqa: S608


class Part(NamedTuple):
    """A kind of lines: its number in a cursor, the model that a reader must be able to view, and its rows."""

    rank: int
    model: type[Model]
    rows: str


PARTS = {
    "payment": Part(1, Payment, """
        SELECT created_at AS at, 1 AS rank, id, status AS what, public_id AS name,
               coalesce(nullif(parked_reason, ''), description) AS note, amount, currency, 1 AS count
        FROM payments_payment WHERE customer_id = %(customer)s"""),
    "refund": Part(2, Refund, """
        SELECT refund.created_at AS at, 2 AS rank, refund.id, refund.status AS what, refund.public_id AS name,
               refund.reason AS note, refund.amount, refund.currency, 1 AS count
        FROM payments_refund AS refund JOIN payments_payment AS payment ON payment.id = refund.payment_id
        WHERE payment.customer_id = %(customer)s"""),
    "dispute": Part(3, Dispute, """
        SELECT dispute.created_at AS at, 3 AS rank, dispute.id, dispute.status AS what, dispute.public_id AS name,
               dispute.reason AS note, dispute.amount, dispute.currency, 1 AS count
        FROM payments_dispute AS dispute JOIN payments_payment AS payment ON payment.id = dispute.payment_id
        WHERE payment.customer_id = %(customer)s"""),
    # Charges that became a debt move no wallet, so they are here. Each of the two has an index of its own: joined by OR
    # they would read all transactions of all customers.
    "transaction": Part(4, Transaction, """
        SELECT effective_at AS at, 4 AS rank, id, reason AS what, '' AS name, description AS note,
               CASE WHEN debit_id IN (SELECT id FROM owned) THEN -amount ELSE amount END AS amount, currency, 1 AS count
        FROM (SELECT entry.* FROM wallets CROSS JOIN LATERAL (
                  SELECT * FROM ledger_transaction
                   WHERE wallet_id = wallets.id AND reason <> 'charge' AND effective_at <= %(at)s
                     AND (effective_at, 4, id) < (%(at)s, %(rank)s, %(id)s)
                   ORDER BY effective_at DESC, id DESC LIMIT %(limit)s) AS entry
              UNION ALL
              SELECT * FROM ledger_transaction WHERE customer_id = %(customer)s AND wallet_id IS NULL) AS moved"""),
    "charge": Part(5, Transaction, """
        SELECT max(entry.effective_at) AS at, 5 AS rank, max(entry.id) AS id, coalesce(plan.name, '') AS what,
               coalesce(plan.name_ru, '') AS name, min(entry.wallet_id)::text AS note, -sum(entry.amount)::bigint
               AS amount, entry.currency, count(*)::integer AS count
        FROM days CROSS JOIN wallets
        JOIN ledger_transaction AS entry ON entry.wallet_id = wallets.id AND entry.reason = 'charge'
             AND entry.effective_at BETWEEN date_trunc('day', days.last, %(zone)s) AND days.last
        LEFT JOIN subscriptions_charge AS charge ON charge.transaction_id = entry.id
        LEFT JOIN subscriptions_price AS price ON price.id = charge.price_id
        LEFT JOIN subscriptions_plan AS plan ON plan.id = price.plan_id
        WHERE days.last IS NOT NULL
        GROUP BY days.last, entry.currency, plan.id"""),
    "event": Part(6, Event, """
        SELECT effective_at AS at, 6 AS rank, id, type AS what, subject AS name, '' AS note, NULL::bigint AS amount,
               '' AS currency, 1 AS count
        FROM events_event WHERE customer_id = %(customer)s"""),
    "mail": Part(7, Mail, """
        SELECT created_at AS at, 7 AS rank, id, kind AS what, subject AS name, state AS note, NULL::bigint AS amount,
               '' AS currency, 1 AS count
        FROM events_mail WHERE customer_id = %(customer)s"""),
    "webhook": Part(8, WebhookEvent, """
        SELECT hook.received_at AS at, 8 AS rank, hook.id, hook.type AS what, hook.outcome AS name, hook.status AS note,
               NULL::bigint AS amount, '' AS currency, 1 AS count
        FROM payments_payment AS payment JOIN payments_webhookevent AS hook
             ON hook.gateway_id = payment.gateway_id AND hook.gateway = payment.gateway
        WHERE payment.customer_id = %(customer)s"""),
    "staff": Part(9, StaffAct, """
        SELECT act.created_at AS at, 9 AS rank, act.id, act.kind || chr(10) || act.title AS what,
               author.username AS name, act.reason AS note, NULL::bigint AS amount, '' AS currency, 1 AS count
        FROM events_staffact AS act JOIN accounts_user AS author ON author.id = act.author_id
        WHERE act.customer_id = %(customer)s"""),
}  # fmt: skip

# What the reader may choose: name in the address, label, kinds.
FILTERS: dict[str, tuple[str | Promise, Sequence[str]]] = {
    "all": (_("All"), tuple(PARTS)),
    "payments": (_("Payments"), ("payment", "refund", "dispute")),
    "money": (_("Transactions"), ("transaction", "charge")),
    "events": (_("Events"), ("event",)),
    "mails": (_("Emails"), ("mail",)),
    "webhooks": (_("Webhooks"), ("webhook",)),
    "staff": (_("Staff"), ("staff",)),
}


class Row(NamedTuple):
    """A row of the statement. What `what`, `name` and `note` hold depends on its kind."""

    at: datetime
    rank: int
    id: int
    what: str
    name: str
    note: str
    amount: int | None
    currency: str
    entries: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `amount` is empty if no money moved; `cursor` leads to what is older than it."""

    kind: str
    at: datetime
    text: str
    note: str
    amount: str
    href: str
    cursor: str
    # Where a mail is sent again; empty for anything else, and for a mail that cannot be.
    again: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of lines, newest first. `older` is the cursor of the next page; empty on the last one."""

    lines: list[Line]
    older: str = ""


def of(customer: User, *, kinds: Collection[str], before: str = "") -> Timeline:
    """Return the newest lines of these kinds, or those older than a cursor. A cursor that is none is not heeded."""
    chosen = [PARTS[kind] for kind in PARTS if kind in kinds]
    if not chosen:
        return Timeline([])
    at, rank, pk = _position(before)
    zone = timezone.get_current_timezone()
    parameters: dict[str, Any] = {
        "customer": customer.pk, "at": at, "rank": rank, "id": pk, "limit": SHOWN + 1,
        "zone": timezone.get_current_timezone_name(),
        # A day is folded whole, whatever the time of the cursor.
        "day_end": _next_midnight(at, zone),
    }  # fmt: skip
    parts = " UNION ALL ".join(_PART.format(part.rows) for part in chosen)
    with connection.cursor() as cursor:
        cursor.execute(f"{_HEAD} SELECT * FROM ({parts}) AS line {_ORDER}", parameters)  # noqa: S608 - only text of this module
        rows = cursor.fetchall()
    lines = [_line(Row(*row)) for row in rows[:SHOWN]]
    return Timeline(lines, lines[-1].cursor if len(rows) > SHOWN else "")


def _position(before: str) -> tuple[datetime, int, int]:
    """Return the time, rank and id of a cursor; the end of time for none."""
    found = PAGE.fullmatch(before)
    if found is None:
        return END, 0, 0
    micros, rank, pk = map(int, found.groups())
    is_possible = micros < (END - _EPOCH) // MICROSECOND
    return (_EPOCH + micros * MICROSECOND, rank, pk) if is_possible else (END, 0, 0)


def _next_midnight(at: datetime, zone: Any) -> datetime:
    """Return the end of the day, in the reader's zone."""
    day = at.astimezone(zone).date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _line(row: Row) -> Line:
    kind = next(kind for kind, part in PARTS.items() if part.rank == row.rank)
    text, note, href = _words(kind, row)
    amount = ""
    if row.amount is not None:
        amount = money(Money(row.amount, row.currency), signed=kind in ("transaction", "charge"))
    micros = (row.at - _EPOCH) // MICROSECOND
    return Line(kind, row.at, text, note, amount, href, f"{micros}.{row.rank}.{row.id}", _again(kind, row))


def _again(kind: str, row: Row) -> str:
    """Return the address of the page that sends a mail again."""
    is_possible = kind == "mail" and Mail(kind=row.what, state=row.note).can_be_resent
    return reverse("admin:events_mail_send_again", args=[row.id]) if is_possible else ""


def _words(kind: str, row: Row) -> tuple[str, str, str]:
    """Return the text, the note and the address of a line."""
    what, name, note = row.what, row.name, row.note
    model = PARTS[kind].model
    href = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.id])
    match kind:
        case "payment":
            return gettext("Payment %s") % name, _joined(Payment.Status(what).label, note), href
        case "refund":
            return gettext("Refund %s") % name, _joined(Refund.Status(what).label, note), href
        case "dispute":
            return gettext("Dispute %s") % name, _joined(Dispute.Status(what).label, note), href
        case "transaction":
            reason = str(REASONS[Transaction.Reason(what)])
            return reason, "" if note == reason else note, href
        case "charge":
            return _charge(row, href)
        case "mail":
            return gettext("Email: %s") % (name or kinds.title_of(what)), str(Mail.State(note).label), href
        case "webhook":
            return gettext("Webhook %s") % what, _joined(WebhookEvent.Status(note).label, name), href
        case "staff":
            act, _line_feed, kept = what.partition("\n")
            return gettext("%(name)s: %(act)s") % {"name": name, "act": title_of(act, kept)}, note, href
        case _:
            return event_name(what), name, href


def _charge(row: Row, href: str) -> tuple[str, str, str]:
    """Return the words of a day's charges for a plan. One alone leads to itself, more to the list of the balance."""
    plan = (row.name if get_language() == "ru" else "") or row.what or str(REASONS[Transaction.Reason.CHARGE])
    if row.entries == 1:
        return plan, "", href
    folded = ngettext("%d charge of this day", "%d charges of this day", row.entries) % row.entries
    return plan, folded, f"{reverse('admin:ledger_transaction_changelist')}?wallet__id__exact={row.note}"


def _joined(*texts: object) -> str:
    return " · ".join(str(text) for text in texts if text)

"""Adjustments: staff credit or debit a balance by hand, or write off a debt.

Up to STAFF_CREDIT_LIMIT one person is enough. Above it the adjustment waits until a second person approves it. What the
same author did alone for the same customer within a day counts too, so that a large sum cannot be split.
"""

from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from core import idempotency, retry
from core.errors import DomainError
from events import outbox
from ledger.display import money as shown
from ledger.money import Money, exponent_of
from payments.models import Adjustment
from subscriptions import books
from subscriptions.books import OpenBook
from subscriptions.refusals import INSUFFICIENT_FUNDS, Refused

Kind, Status = Adjustment.Kind, Adjustment.Status
# What one author did alone for one customer in this time counts against the limit.
COUNTED_FOR = timedelta(hours=24)
# The system account on the other side.
ACCOUNT = "adjustments"
EVENTS = {Kind.CREDIT: "credited", Kind.DEBIT: "debited", Kind.WRITE_OFF: "written_off"}


class AdjustmentRefused(DomainError):
    """The adjustment is not possible. Nothing was moved."""

    code = "adjustment_refused"


class AdjustmentDecided(AdjustmentRefused):
    """The adjustment does not wait for a decision any more."""


class Request(TypedDict):
    """What is asked for."""

    kind: Adjustment.Kind
    money: Money
    # Why. The customer reads it.
    reason: str
    author: User
    idempotency_key: str | None


def limit(currency: str) -> Money:
    """Return what one person may adjust for a customer within a day; zero for a currency that has no limit set."""
    whole = settings.STAFF_CREDIT_LIMIT.get(currency, 0)
    return Money(whole * 10 ** exponent_of(currency), currency)


def done_alone(customer: User, author: User, currency: str, *, now: datetime) -> Money:
    """Return what the author did for this customer without a second person within the last 24 hours."""
    alone = Adjustment.objects.filter(
        asked_by=author, customer=customer, currency=currency, needs_approval=False, created_at__gt=now - COUNTED_FOR
    )
    return Money(int(alone.aggregate(sum=Sum("amount"))["sum"] or 0), currency)


def key_of(adjustment: Adjustment) -> str:
    """Return the key of the transaction that an adjustment has once it is done."""
    on_debt = ":debt" if adjustment.kind == Kind.WRITE_OFF else ""
    return f"adjustment:{adjustment.public_id}{on_debt}"


def needs_approval(customer: User, author: User, money: Money, *, now: datetime) -> bool:
    """Tell whether a second person must approve so much. Exact only under the lock of the customer's book."""
    before = done_alone(customer, author, money.currency, now=now)
    return before.amount + money.amount > limit(money.currency).amount


@retry.retried
def ask(customer: User, *, now: datetime, **request: Unpack[Request]) -> Adjustment:
    """Carry an adjustment out if one person is enough, else let it wait for a second one; return it.

    The same request again returns the adjustment that it made. Raises AdjustmentRefused, KeyReused. What cannot be
    carried out now is refused even if it would wait.
    """
    kind, money, reason, author = request["kind"], request["money"], request["reason"].strip(), request["author"]
    key = request["idempotency_key"]
    fingerprint = idempotency.fingerprint(
        customer=customer.pk, kind=kind, amount=money.amount, currency=money.currency, reason=reason, author=author.pk
    )
    _check(customer, money, reason, author)
    with transaction.atomic(), books.open(customer, money.currency, now=now) as book:
        if before := idempotency.find(Adjustment.objects.all(), key, fingerprint=fingerprint):
            return before
        must_wait = needs_approval(customer, author, money, now=now)
        row = Adjustment(
            customer=customer, amount=money.amount, currency=money.currency, kind=kind, reason=reason, asked_by=author,
            created_at=now, needs_approval=must_wait, status=Status.WAITING if must_wait else Status.DONE,
            decided_at=None if must_wait else now, idempotency_key=key, fingerprint=fingerprint if key else None,
        )  # fmt: skip
        if must_wait:
            _check_possible(row, book)
        else:
            _move(row, book)
        row.save(force_insert=True)
    return row


def approve(adjustment: Adjustment, *, by: User, reason: str = "", now: datetime) -> Adjustment:
    """Carry out an adjustment that waits and return it. Raises AdjustmentRefused, AdjustmentDecided."""
    return _decide(adjustment, Status.DONE, by=by, reason=reason, now=now)


def decline(adjustment: Adjustment, *, by: User, reason: str = "", now: datetime) -> Adjustment:
    """Close an adjustment that waits, without moving money, and return it. Raises as `approve` does."""
    return _decide(adjustment, Status.DECLINED, by=by, reason=reason, now=now)


def withdraw(adjustment: Adjustment, *, by: User, reason: str = "", now: datetime) -> Adjustment:
    """Let its author take back an adjustment that waits, and return it. Raises as `approve` does."""
    return _decide(adjustment, Status.WITHDRAWN, by=by, reason=reason, now=now)


@retry.retried
def _decide(adjustment: Adjustment, status: Adjustment.Status, *, by: User, reason: str, now: datetime) -> Adjustment:
    """Move a waiting adjustment to its last status. Its row is locked before the wallet."""
    with transaction.atomic():
        rows = Adjustment.objects.select_for_update(of=("self",), no_key=True)
        row = rows.select_related("customer", "asked_by").get(pk=adjustment.pk)
        if row.status != Status.WAITING:
            text = _("%(id)s was decided before: it is %(state)s.")
            said = text % {"id": row.public_id, "state": row.get_status_display()}
            raise AdjustmentDecided(said, state=row.status)
        _check_person(row, status, by)
        if status == Status.DONE:
            with books.open(row.customer, row.currency, now=now) as book:
                _move(row, book)
        row.status, row.decided_by, row.decided_at, row.decision_reason = status, by, now, reason.strip()
        row.save(update_fields=["status", "decided_by", "decided_at", "decision_reason"])
    return row


def _check(customer: User, money: Money, reason: str, author: User) -> None:
    """Raise AdjustmentRefused for a request that is wrong whatever the customer has."""
    if money.amount <= 0:
        raise AdjustmentRefused(_("The amount must be more than zero."), param="amount")
    if not reason:
        raise AdjustmentRefused(_("Say why. The customer reads it."), param="reason")
    if author == customer:
        raise AdjustmentRefused(_("Nobody adjusts their own balance. Ask a colleague."))


def _check_person(row: Adjustment, status: Adjustment.Status, by: User) -> None:
    """Raise AdjustmentRefused if this person may not take this decision."""
    if status == Status.WITHDRAWN:
        if by != row.asked_by:
            raise AdjustmentRefused(_("Only %s may withdraw it.") % row.asked_by)
    elif by == row.asked_by:
        raise AdjustmentRefused(_("You asked for it yourself. A second person must decide."))
    elif by == row.customer:
        raise AdjustmentRefused(_("Nobody adjusts their own balance. Ask a colleague."))


def _check_possible(row: Adjustment, book: OpenBook) -> None:
    """Raise AdjustmentRefused if the customer has or owes less than the adjustment takes."""
    if row.kind == Kind.DEBIT and row.amount > book.balance:
        raise _too_much(row, book)
    if row.kind == Kind.WRITE_OFF and row.amount > book.debt:
        raise _too_much(row, book)


def _move(row: Adjustment, book: OpenBook) -> None:
    """Move the money of an adjustment in its customer's book. Raises AdjustmentRefused."""
    key, author = f"adjustment:{row.public_id}", row.asked_by
    _check_possible(row, book)
    try:
        match row.kind:
            case Kind.CREDIT:
                book.top_up(
                    row.amount, key=key, source=ACCOUNT, reason="adjustment", description=row.reason, author=author
                )
            case Kind.DEBIT:
                book.withdraw(
                    row.amount, key=key, to=ACCOUNT, reason="adjustment", description=row.reason, author=author
                )
            case Kind.WRITE_OFF:
                book.write_off(row.amount, key=key, source=ACCOUNT, description=row.reason, author=author)
        _record_event(row, at=book.now)
    except Refused as error:
        if error.code == INSUFFICIENT_FUNDS:
            raise _too_much(row, book) from error
        raise AdjustmentRefused(error.detail, param="amount") from error


def _record_event(row: Adjustment, *, at: datetime) -> None:
    """Record the event `adjustment.credited`, `.debited` or `.written_off`, with what its mail needs."""
    kind = EVENTS[Kind(row.kind)]
    data = {"amount": {"value": row.money.plain(), "currency": row.currency}, "reason": row.reason}
    outbox.record([outbox.Fact(row.customer_id, f"adjustment.{kind}", row.public_id, at, data)])


def _too_much(row: Adjustment, book: OpenBook) -> AdjustmentRefused:
    """Return the error of a debit or a write-off that is larger than what there is."""
    if row.kind == Kind.WRITE_OFF:
        said = _("The customer owes %s. Write off at most that.") % shown(Money(book.debt, row.currency))
    else:
        has = shown(Money(book.balance, row.currency))
        said = _("The balance is %s. A debit takes at most that, less what is used and not yet charged.") % has
    return AdjustmentRefused(said, param="amount")

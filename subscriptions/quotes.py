"""Quotes for plan changes: accepting a quote posts exactly the amounts shown, or nothing.

A quote is calculated on a copy of the book. Unused time loses value every second, so a change that refunds it names an
instant a few minutes ahead: the money moves at acceptance, the old plan runs until that instant, and the plan changes
then. (Backdating the change to the quote would let customers use an expensive plan at a cheap plan's price.) Any other
change takes effect at acceptance. Acceptance compares the amounts, the status and the next payment with the quote; if
one differs, nothing happens and the customer gets a new quote.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.retry import retried
from ledger.money import Money
from subscriptions import books, overview
from subscriptions.books import Refused, refusal_detail
from subscriptions.engine.access import dry_instant, settled
from subscriptions.engine.book import Book, Charge, Journal, Movement
from subscriptions.engine.calendar import SECOND, to_datetime, to_micros
from subscriptions.engine.operations import Refusal, change_plan
from subscriptions.engine.proration import unused
from subscriptions.engine.settlement import needed
from subscriptions.engine.subscription import FINAL, Status, Sub
from subscriptions.explain import sentences
from subscriptions.explain.sentences import Writer
from subscriptions.models import Price, Quote, Subscription
from subscriptions.overview import next_charge
from subscriptions.storage import read

# The longest time that a quote is valid.
VALID_FOR = timedelta(minutes=15)
# How far ahead a change that refunds unused time takes effect, rounded up to a minute: time to read the quote.
MINUTE = 60 * SECOND
AHEAD = 2 * MINUTE
# How long an expired quote is kept. Who accepts it in that time gets a new quote instead of an error.
KEPT_FOR = timedelta(days=1)
FAR = to_micros(datetime(9999, 1, 1, tzinfo=UTC))


class QuoteChanged(DomainError):
    """The quote is no longer valid; nothing was charged. `quote` is the new quote."""

    code = "quote_changed"

    def __init__(self, quote: Quote) -> None:
        super().__init__(
            _("The amounts shown are no longer valid. Nothing was charged. Confirm the new quote instead."),
            quote=quote.public_id,
        )
        self.quote = quote


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One movement of the wallet, with signed `money` and the formula behind it: `99.00 × 18 of 30 days`."""

    reason: str
    subscription: Subscription | None
    money: Money
    formula: str


class _Stale(Exception):
    """Raised to roll back a change that differs from its quote."""


def make(subscription: Subscription, price: Price, *, now: datetime, when: str = "now") -> Quote:
    """Create a quote for a plan change at `now`; raise Refused if the change would be refused."""
    book, sub = _copy_at(subscription, now)
    assert book.at is not None
    effective = _effective(sub, book.at, when)
    balance, rest = book.balance, rest_of(sub, effective or book.at)
    holds_until = _same_until(book, sub, when) if effective is None else to_datetime(effective)
    expires_at = min(to_datetime(book.at) + VALID_FOR, holds_until)
    terms = read.terms_of([price.pk])[price.pk]
    refusal = change_plan(book, book.at, sub, terms, when=when, effective=effective)
    if refusal is Refusal.INSUFFICIENT_FUNDS:
        raise _short(needed(book, sub, terms) - balance - unused(sub, effective or book.at), price.currency)
    if refusal is not None:
        raise Refused(refusal, refusal_detail(refusal))
    then = _afterwards(book, subscription, effective)
    due_at, due = next_charge(then)
    lines = stored_lines(book.journal.movements, book.journal, rest)
    return Quote.objects.create(
        subscription=subscription, price=price, when=when, as_of=to_datetime(book.at),
        expires_at=expires_at, takes_effect_at=_moment(effective), balance_before=balance,
        balance_after=balance + sum(line["amount"] for line in lines), lines=lines, status_after=then.status,
        next_charge_at=due_at, next_charge_amount=due,
    )  # fmt: skip


def accept(quote: Quote, *, now: datetime) -> Subscription:
    """Make the quoted change, once; raise QuoteChanged with a new quote if this one is no longer valid."""
    subscription = quote.subscription
    try:
        if now > quote.expires_at and quote.used_at is None:
            raise _Stale
        _carry_out(quote, now=now)
    except _Stale:
        raise QuoteChanged(make(subscription, quote.price, now=now, when=quote.when)) from None
    subscription.refresh_from_db()
    return subscription


def read_lines(quote: Quote, *, write: Writer = Money.plain) -> list[QuoteLine]:
    """Return the lines of a quote with their formulas."""
    subscriptions = Subscription.objects.in_bulk([line["subscription"] for line in quote.lines if line["subscription"]])
    sources = [line.get("from", {}) for line in quote.lines]
    prices = Price.objects.in_bulk([source["price"] for source in sources if "price" in source])
    currency = quote.price.currency
    return [
        QuoteLine(
            line["reason"],
            subscriptions.get(line["subscription"]),
            Money(line["amount"], currency),
            _formula(source, currency, prices, write),
        )
        for line, source in zip(quote.lines, sources, strict=True)
    ]


def forget(*, now: datetime) -> int:
    """Delete quotes that expired over KEPT_FOR ago and were never accepted; return how many rows were deleted."""
    return Quote.objects.filter(used_at=None, expires_at__lt=now - KEPT_FOR).delete()[0]


@retried
def _carry_out(quote: Quote, *, now: datetime) -> None:
    """Change the plan and compare the result with the quote; raise _Stale, which rolls back, if it differs."""
    subscription = quote.subscription
    with transaction.atomic(), books.open(subscription.customer, quote.price.currency, now=now) as book:
        if not Quote.objects.filter(pk=quote.pk, used_at=None).update(used_at=now):
            return
        journal = book.item.book.journal
        done = len(journal.movements)
        book.change_plan(subscription, quote.price, when=quote.when, effective_at=quote.takes_effect_at)
        posted = stored_lines(journal.movements[done:], journal, {})
        effective = to_micros(quote.takes_effect_at) if quote.takes_effect_at else None
        then = _afterwards(book.item.book, subscription, effective)
        _, due = next_charge(then)
        promised = moves(quote.lines), quote.status_after, quote.next_charge_amount
        if (moves(posted), then.status, due) != promised:
            raise _Stale


def _afterwards(book: Book, subscription: Subscription, effective: int | None) -> Sub:
    """Return the subscription after the change has taken effect, if nothing else happens."""
    assert book.at is not None
    twin = settled(book, book.at if effective is None else effective)
    return next(sub for sub in twin.subs if sub.id == subscription.pk)


def _effective(sub: Sub, at: int, when: str) -> int | None:
    """Return when a change that refunds unused time takes effect: a whole minute within the period, else None."""
    if when != "now" or not unused(sub, at):
        return None
    assert sub.end is not None
    effective = -(-(at + AHEAD) // MINUTE) * MINUTE
    return effective if effective < sub.end else None


def _same_until(book: Book, sub: Sub, when: str) -> datetime:
    """Return the last instant at which a change of `sub` has the same result as now; FAR if nothing limits it.

    The value of unused time, floor(paid x (end - t) / length), stays the same up to t = end - ceil(value x length /
    paid). Without unused time the limit is the end of the period or trial (a change scheduled after it would be for the
    next period) or the instant at which the meters empty the wallet.
    """
    assert book.at is not None
    worth = unused(sub, book.at)
    if worth and when == "now":
        assert sub.end is not None
        return to_datetime(sub.end + (-worth * sub.length) // sub.paid)
    ends = [FAR if sub.boundary is None else sub.boundary - 1, FAR if (dry := dry_instant(book)) is None else dry]
    return to_datetime(min(*ends, FAR))


def _moment(at: int | None) -> datetime | None:
    return None if at is None else to_datetime(at)


def _copy_at(subscription: Subscription, now: datetime) -> tuple[Book, Sub]:
    """Return a copy of the subscription's book, settled to `now` with an empty journal, and the subscription in it."""
    [item] = read.look([subscription.wallet_id])
    view = overview.view(item.currency, item.book, now)
    sub = view.subs.get(subscription.pk)
    if sub is None or sub.status in FINAL:
        raise Refused(Refusal.FINAL, refusal_detail(Refusal.FINAL))
    assert view.book.at is not None
    assert view.book.at >= to_micros(now)
    view.book.journal = Journal()
    return view.book, sub


def _short(amount: int, currency: str) -> Refused:
    """Return the refusal of a change for which `amount` minor units are missing."""
    missing = Money(amount, currency)
    return Refused(
        Refusal.INSUFFICIENT_FUNDS, _("This change needs %s more on the balance. Top up first.") % missing,
        missing={"value": missing.plain(), "currency": missing.currency},
    )  # fmt: skip


def rest_of(sub: Sub, at: int) -> dict[str, int]:
    """Return what the refund of unused time is calculated from. Call it before the change, which resets it."""
    if sub.status is not Status.ACTIVE or sub.terms.metered or sub.end is None:
        return {}
    return {"paid": sub.paid, "left": sub.end - at, "full": sub.length}


def stored_lines(movements: Iterable[Movement], journal: Journal, rest: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the movements as a quote stores them.

    Leave out charges for fractions of earlier use (engine.metering): like the metered use up to the change, they are
    charged with or without it.
    """
    charges = {id(charge.movement): charge for charge in journal.charges if charge.movement}
    return [
        {
            "reason": movement.reason,
            "subscription": movement.sub.id if movement.sub else None,
            "amount": movement.amount,
            "from": _terms(charges[id(movement)]) if id(movement) in charges else dict(rest),
        }
        for movement in movements
        if id(movement) not in charges or charges[id(movement)].start < charges[id(movement)].end
    ]


def moves(lines: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the parts of these lines that must be the same at acceptance."""
    return [(line["reason"], line["subscription"], line["amount"]) for line in lines]


def _terms(charge: Charge) -> dict[str, Any]:
    return {"price": charge.terms.id, "quantity": charge.sub.quantity, "periods": charge.sub.periods}


def _formula(source: Mapping[str, int], currency: str, prices: Mapping[int, Price], write: Writer) -> str:
    if "price" in source:
        price = prices[source["price"]]
        return sentences.advance(price, quantity=source["quantity"], periods=source["periods"], write=write)
    if "paid" in source:
        return f"{write(Money(source['paid'], currency))} × {sentences.share(source['left'], source['full'])}"
    return ""

"""Quotes for plan changes: the amounts shown are the amounts posted, or nothing is.

A quote is worked out on a copy of the book. Where unused time comes back, which is worth less by the second, the
quote names an instant some minutes ahead: accepted before it, the money moves at once, the old plan goes on up to that
instant, and the change takes effect then, so that its amounts hold for all who read them. Dating the change back to the
quote instead would let a dear plan be used at a cheap one's price meanwhile. Every other change takes effect when it is
accepted. Either way the amounts, the status it leads to and the next payment are compared: where one differs a new
quote is shown and nothing has happened.
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

# The longest that a quote holds whose change takes effect when it is accepted.
VALID_FOR = timedelta(minutes=15)
# How far ahead a change takes effect that gives unused time back, to the next whole minute: time to read the quote.
MINUTE = 60 * SECOND
AHEAD = 2 * MINUTE
# How long after that a quote nobody accepted is kept: whoever sends it then is still told what has changed.
KEPT_FOR = timedelta(days=1)
FAR = to_micros(datetime(9999, 1, 1, tzinfo=UTC))


class QuoteChanged(DomainError):
    """The quote does not hold any more; nothing was charged. `quote` is the new one."""

    code = "quote_changed"

    def __init__(self, quote: Quote) -> None:
        super().__init__(
            _("What was shown does not hold any more. Nothing was charged; confirm the new quote instead."),
            quote=quote.public_id,
        )
        self.quote = quote


def make(subscription: Subscription, price: Price, *, now: datetime, when: str = "now") -> Quote:
    """Work out what a change would move, and until when that holds; raise Refused as the change would."""
    book, sub = _copy_at(subscription, now)
    assert book.at is not None
    effective = _effective(sub, book.at, when)
    before, rest = book.balance, rest_of(sub, effective or book.at)
    holds_until = _same_until(book, sub, when) if effective is None else to_datetime(effective)
    expires_at = min(to_datetime(book.at) + VALID_FOR, holds_until)
    terms = read.terms_of([price.pk])[price.pk]
    refusal = change_plan(book, book.at, sub, terms, when=when, effective=effective)
    if refusal is Refusal.INSUFFICIENT_FUNDS:
        raise _short(needed(book, sub, terms) - before - unused(sub, effective or book.at), price.currency)
    if refusal is not None:
        raise Refused(refusal, refusal_detail(refusal))
    then = _afterwards(book, subscription, effective)
    due_at, due = next_charge(then)
    lines = stored_lines(book.journal.movements, book.journal, rest)
    return Quote.objects.create(
        subscription=subscription, price=price, when=when, as_of=to_datetime(book.at),
        expires_at=expires_at, takes_effect_at=_moment(effective), balance_before=before,
        balance_after=before + sum(line["amount"] for line in lines), lines=lines, status_after=then.status,
        next_charge_at=due_at, next_charge_amount=due,
    )  # fmt: skip


def accept(quote: Quote, *, now: datetime) -> Subscription:
    """Carry the quoted change out, once; raise QuoteChanged with a new quote when it no longer holds."""
    subscription = quote.subscription
    try:
        if now > quote.expires_at and quote.used_at is None:
            raise _Stale
        _carry_out(quote, now=now)
    except _Stale:
        raise QuoteChanged(make(subscription, quote.price, now=now, when=quote.when)) from None
    subscription.refresh_from_db()
    return subscription


def forget(*, now: datetime) -> int:
    """Delete the quotes that nobody accepted in time; those that were accepted stay. Returns how many."""
    return Quote.objects.filter(used_at=None, expires_at__lt=now - KEPT_FOR).delete()[0]


@retried
def _carry_out(quote: Quote, *, now: datetime) -> None:
    """Change the plan now, and compare; raise _Stale, and so undo it, where an amount differs from the quote's."""
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


class _Stale(Exception):
    """Undoes everything that was begun for the old quote."""


def _afterwards(book: Book, subscription: Subscription, effective: int | None) -> Sub:
    """Return the subscription as it stands when the change has taken effect, if nothing else happens."""
    assert book.at is not None
    twin = settled(book, book.at if effective is None else effective)
    return next(sub for sub in twin.subs if sub.id == subscription.pk)


def _effective(sub: Sub, at: int, when: str) -> int | None:
    """Return when a change takes effect that gives unused time back: a whole minute of the period, if one is left."""
    if when != "now" or not unused(sub, at):
        return None
    assert sub.end is not None
    effective = -(-(at + AHEAD) // MINUTE) * MINUTE
    return effective if effective < sub.end else None


def _same_until(book: Book, sub: Sub, when: str) -> datetime:
    """Return the last instant at which a change of `sub` is what it is now; far off when nothing limits it.

    The unused part keeps its worth, floor(paid x (end - t) / length), up to t = end - ceil(worth x length / paid).
    Without one the limit is where something ends: its period or trial (a change at the period's end moves nothing now,
    but would mean another), or the money that metered use draws on.
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
    """A copy of the subscription's book settled to `now`, with an empty journal, and the subscription in it."""
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
    """Say how many minor units are missing for the change."""
    missing = Money(amount, currency)
    return Refused(
        Refusal.INSUFFICIENT_FUNDS, _("%s is missing in the wallet for this change; top it up first.") % missing,
        missing={"value": missing.plain(), "currency": missing.currency},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One movement of the wallet, `money` signed. `formula` says how it was worked out: `99.00 × 18 of 30 days`."""

    reason: str
    subscription: Subscription | None
    money: Money
    formula: str


def rest_of(sub: Sub, at: int) -> dict[str, int]:
    """Return what unused time will be worked out from: asked before the change, which forgets it."""
    if sub.status is not Status.ACTIVE or sub.terms.metered or sub.end is None:
        return {}
    return {"paid": sub.paid, "left": sub.end - at, "full": sub.length}


def stored_lines(entries: Iterable[Movement], journal: Journal, rest: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the lines in the form in which a quote keeps them.

    Without the whole units that fractions of earlier use come to on the way (engine/leftover.py): like the metered use
    up to the change they are charged with or without it.
    """
    charges = {id(charge.entry): charge for charge in journal.charges if charge.entry}
    return [
        {
            "reason": entry.reason,
            "subscription": entry.sub.id if entry.sub else None,
            "amount": entry.amount,
            "from": _terms(charges[id(entry)]) if id(entry) in charges else dict(rest),
        }
        for entry in entries
        if id(entry) not in charges or charges[id(entry)].start < charges[id(entry)].end
    ]


def moves(lines: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what these lines move, to be compared to the unit."""
    return [(line["reason"], line["subscription"], line["amount"]) for line in lines]


def read_lines(quote: Quote, *, write: Writer = Money.plain) -> list[QuoteLine]:
    """Return the lines of a quote in words."""
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


def _terms(charge: Charge) -> dict[str, Any]:
    return {"price": charge.terms.id, "quantity": charge.sub.quantity, "periods": charge.sub.periods}


def _formula(source: Mapping[str, int], currency: str, prices: Mapping[int, Price], write: Writer) -> str:
    if "price" in source:
        price = prices[source["price"]]
        return sentences.advance(price, quantity=source["quantity"], periods=source["periods"], write=write)
    if "paid" in source:
        return f"{write(Money(source['paid'], currency))} × {sentences.share(source['left'], source['full'])}"
    return ""

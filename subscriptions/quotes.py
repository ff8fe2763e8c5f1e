"""Quotes for changes of plan and quantity: what they cost at most, and the change itself when a quote is accepted.

A quote is calculated on copies of the book, at its beginning and at its end, and shows for each movement what is worse
for the customer: unused time is worth less by the second, and so is what more seats cost. Accepted in between, the
change takes effect at once with the exact amounts of that instant. If anything else has changed, nothing happens and
the customer gets a new quote.
"""

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from core.errors import DomainError
from core.retry import retried
from ledger.money import Money
from subscriptions import books, catalogue, overview
from subscriptions.books import OpenBook
from subscriptions.engine import shortage
from subscriptions.engine.access import next_due
from subscriptions.engine.book import Book
from subscriptions.engine.calendar import SECOND, to_datetime
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.subscription import Sub
from subscriptions.models import Price, Quote, Subscription
from subscriptions.overview import View, next_charge
from subscriptions.quote_change import (
    Change,
    Played,
    check_address,
    check_change,
    copy_at,
    fingerprint_of_others,
    missing,
    play,
    sub_of,
)
from subscriptions.quote_lines import key_of, rest_of, stored_lines
from subscriptions.refusals import INSUFFICIENT_FUNDS, Refused, insufficient_funds, refused
from subscriptions.storage import read

# The longest time that a quote is valid, in microseconds.
VALID_FOR = 900 * SECOND
# The reason of lines of which the later one is worse.
DEBT_PAYMENT = "debt_payment"
# How long an expired quote is kept. Who accepts it in that time gets a new quote instead of an error.
KEPT_FOR = timedelta(days=1)


class QuoteChanged(DomainError):
    """The quote is no longer valid; nothing was charged. `quote` is the new quote."""

    code = "quote_changed"

    def __init__(self, quote: Quote) -> None:
        super().__init__(
            _("The amounts shown are no longer valid. Nothing was charged. Confirm the new quote instead."),
            quote=quote.public_id,
        )
        self.quote = quote


class _Stale(Exception):
    """Raised to roll back a change that differs from its quote."""


def price_for(subscription: Subscription, code: str, *, now: datetime) -> Price:
    """Return the price of a change to this plan: the version it has if it has the plan, else the one on sale."""
    own = overview.one(subscription, now=now).price
    return own if own.plan.code.lower() == code.lower() else catalogue.current(code, own.currency)


def make(
    subscription: Subscription, price: Price, *, now: datetime, quantity: int | None = None, when: str = "now"
) -> Quote:
    """Create a quote at `now` for a change to `price`, or to `quantity` if given; raise Refused if it would be.

    A change of the quantity, or to the plan it has, keeps the version of the price that it has.
    """
    book, sub = copy_at(subscription, now)
    if quantity is not None or price.plan_id == sub.terms.plan:
        price = Price.objects.select_related("plan").get(pk=read.pk_of(sub.terms.id))
    change = Change(read.terms_of([price.pk])[price.pk], quantity, when)
    start = book.at
    assert start is not None
    check_change(price, sub, quantity, start)
    check_address(subscription, price, sub)
    first = play(book, start, sub.id, change)
    if isinstance(first, Refusal):
        raise _refused(first, book, sub, change, price.currency)
    end = _end(book, start)
    while not _is_alike(first, last := play(book, end, sub.id, change)) and end > start:
        end = start + (end - start) // 2
    assert not isinstance(last, Refusal)
    lines = [_worse(one, other) for one, other in zip(first.lines, last.lines, strict=True)]
    due_at, due = next_charge(last.sub)
    left = last.balance + sum(line["amount"] for line in lines)
    use = sum(shortage.use_after_start(meter, end - start) for meter in last.started)
    use = min(use, max(0, left))
    return Quote.objects.create(
        subscription=subscription, price=price, quantity=quantity, when=when, as_of=to_datetime(start),
        expires_at=to_datetime(end), balance_before=first.balance,
        balance_after=left - use, lines=lines, status_after=last.sub.status, others=last.others, started_use=use,
        next_charge_at=due_at, next_charge_amount=due,
    )  # fmt: skip


def accept(quote: Quote, *, now: datetime, author: User | None = None) -> Subscription:
    """Make the quoted change, once; raise QuoteChanged with a new quote if this one is no longer valid.

    `author` is the member of staff who makes it for the customer.
    """
    subscription = quote.subscription
    try:
        if now > quote.expires_at and quote.used_at is None:
            raise _Stale
        _carry_out(quote, now=now, author=author)
    except _Stale:
        raise QuoteChanged(_again(quote, now=now)) from None
    except Refused as refused:
        if refused.code != INSUFFICIENT_FUNDS:
            raise
        # Names the amount that is missing, unless the money has just come.
        raise QuoteChanged(_again(quote, now=now)) from None
    subscription.refresh_from_db()
    return subscription


def after(quote: Quote, *, now: datetime) -> View:
    """Return a view of the book as it would be after the change at `now`; as it is now if it would be refused."""
    subscription = quote.subscription
    book, sub = copy_at(subscription, now)
    assert book.at is not None
    change = Change(read.terms_of([quote.price_id])[quote.price_id], quote.quantity, quote.when)
    change.apply(book, book.at, sub)
    return overview.view(quote.price.currency, book, now)


def forget(*, now: datetime) -> int:
    """Delete quotes that expired over KEPT_FOR ago and were never accepted; return how many rows were deleted."""
    return Quote.objects.filter(used_at=None, expires_at__lt=now - KEPT_FOR).delete()[0]


def _again(quote: Quote, *, now: datetime) -> Quote:
    """Return a new quote for the same change at today's price."""
    price = quote.price
    if quote.quantity is None:
        price = price_for(quote.subscription, price.plan.code, now=now)
    return make(quote.subscription, price, now=now, quantity=quote.quantity, when=quote.when)


@retried
def _carry_out(quote: Quote, *, now: datetime, author: User | None) -> None:
    """Make the change and compare the result with the quote; raise _Stale, which rolls back, if it is worse."""
    subscription = quote.subscription
    with books.open(subscription.customer, quote.price.currency, now=now) as book:
        if not Quote.objects.filter(pk=quote.pk, used_at=None).update(used_at=now):
            return
        journal, balance = book.item.book.journal, book.balance
        done = len(journal.movements)
        sub = sub_of(book.item.book, subscription)
        rest = rest_of(sub, book.at, quote.quantity)
        with book.signed(author):
            _change(book, quote, sub)
        lines = stored_lines(journal.movements[done:], journal, rest)
        posted = Played(balance, lines, sub, fingerprint_of_others(book.item.book, sub))
        if not _holds(quote, posted):
            raise _Stale


def _change(book: OpenBook, quote: Quote, sub: Sub) -> None:
    """Make the change; raise _Stale if the price it was quoted for is not the right one any more."""
    price = quote.price
    if quote.quantity is not None:
        if sub.terms.id != price.pk:
            raise _Stale
        book.change_quantity(quote.subscription, quote.quantity, when=quote.when)
        return
    if sub.terms.plan != price.plan_id and catalogue.current(price.plan, price.currency) != price:
        raise _Stale
    book.change_plan(quote.subscription, price, when=quote.when)


def _holds(quote: Quote, posted: Played) -> bool:
    """Tell whether what a change came to is what the quote showed, or better by the time that has passed."""
    shown = [key_of(line) for line in quote.lines], quote.status_after, quote.next_charge_amount, quote.others
    if posted.shape != shown:
        return False
    # Down to this the running meters may have used the balance.
    least = quote.balance_after + quote.started_use - quote.total
    no_worse = all(
        new["amount"] >= old["amount"] or new["reason"] == DEBT_PAYMENT
        for new, old in zip(posted.lines, quote.lines, strict=True)
    )
    return no_worse and least <= posted.balance <= quote.balance_before


def _is_alike(first: Played, last: Played | Refusal) -> bool:
    """Tell whether the same happens at both instants, be it for other amounts."""
    return not isinstance(last, Refusal) and first.shape == last.shape


def _end(book: Book, start: int) -> int:
    """Return the last instant at which a quote made at `start` can hold: before the next payment of the book.

    The last microsecond that the running meters can pay is such an end too.
    """
    due = next_due(book, VALID_FOR + 1)
    return start + VALID_FOR if due is None else max(start, min(start + VALID_FOR, due - 1))


def _worse(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the line that is worse for the customer; of a debt, which less money pays less of, the later one."""
    return one if one["amount"] <= other["amount"] and one["reason"] != DEBT_PAYMENT else other


def _refused(refusal: Refusal, book: Book, sub: Sub, change: Change, currency: str) -> Refused:
    """Return the refusal of a change. Money that is missing is named with what the time to pay takes off it."""
    if refusal is not Refusal.INSUFFICIENT_FUNDS:
        return refused(refusal)
    return insufficient_funds(Money(max(1, missing(book, sub, change, currency)), currency))

"""What a change of plan or quantity costs that the balance cannot pay yet: the payment that is enough for it."""

from datetime import datetime
from typing import NamedTuple

from ledger.money import Money
from subscriptions.engine import funds
from subscriptions.engine.access import settled
from subscriptions.engine.calendar import SECOND, to_datetime
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.subscription import Sub
from subscriptions.models import Price, Quote, Subscription
from subscriptions.overview import next_charge
from subscriptions.quote_change import TIME_TO_PAY, Change, check_address, check_change, copy_at, play, to_pay
from subscriptions.refusals import refused
from subscriptions.storage import read

# The amount stays the same for so long at least: it is what is lacking at an instant that moves in steps.
STEP = 900 * SECOND


class ChangeDues(NamedTuple):
    """What a change lacks. `quote` is not saved: it shows the change as it would be right after the payment."""

    # One payment that gateways take; it is enough if it comes within TIME_TO_PAY.
    amount: Money
    quote: Quote
    # What the subscription has and what is planned for it (see `standing`).
    standing: str


def of(
    subscription: Subscription, price: Price, *, now: datetime, quantity: int | None = None, shown: int | None = None
) -> ChangeDues | None:
    """Return what a change now to `price`, or to `quantity` if given, lacks; None if the balance is enough.

    `shown` is the amount that the customer has seen: it is kept if it is still enough. Raise Refused if the change
    would be refused for another reason. A change of the quantity keeps the version of the price.
    """
    book, sub = copy_at(subscription, now)
    if quantity is not None or price.plan_id == sub.terms.plan:
        price = Price.objects.select_related("plan").get(pk=read.pk_of(sub.terms.id))
    change = Change(read.terms_of([price.pk])[price.pk], quantity, Quote.When.NOW)
    assert book.at is not None
    check_change(price, sub, quantity, book.at)
    check_address(subscription, price, sub)
    first = play(book, book.at, sub.id, change)
    if not isinstance(first, Refusal):
        return None
    if first is not Refusal.INSUFFICIENT_FUNDS:
        raise refused(first)
    until = ((book.at + TIME_TO_PAY) // STEP + 2) * STEP
    amounts = [
        to_pay(book, sub, change, price.currency, time_to_pay=end - book.at) for end in (until, until - STEP)
    ]  # fmt: skip
    amount = shown if shown in amounts else amounts[0]
    paid = settled(book, book.at)
    funds.top_up(paid, book.at, amount)
    after = play(paid, book.at, sub.id, change)
    if isinstance(after, Refusal):
        raise refused(after)
    due_at, due = next_charge(after.sub)
    quote = Quote(
        subscription=subscription, price=price, quantity=quantity, when=Quote.When.NOW, as_of=to_datetime(book.at),
        expires_at=to_datetime(book.at), balance_before=after.balance,
        balance_after=after.balance + sum(line["amount"] for line in after.lines), lines=after.lines,
        status_after=after.sub.status, others=after.others, next_charge_at=due_at, next_charge_amount=due,
    )  # fmt: skip
    return ChangeDues(Money(amount, price.currency), quote, standing(sub))


def standing(sub: Sub) -> str:
    """Return what the subscription has and what is planned for it, in one text: if it differs, so did a wish."""
    scheduled = read.pk_of(sub.scheduled.id) if sub.scheduled else None
    return _text(read.pk_of(sub.terms.id), sub.quantity, sub.cancel_requested, scheduled, sub.scheduled_quantity)


def standing_of(row: Subscription) -> str:
    """Return the same as it stands in the row."""
    return _text(row.price_id, row.quantity, row.cancel_requested, row.scheduled_price_id, row.scheduled_quantity)


def _text(price: int, quantity: int, is_leaving: bool, planned: int | None, planned_quantity: int | None) -> str:
    return f"{price}:{quantity}:{is_leaving}:{planned or ''}:{planned_quantity or ''}"

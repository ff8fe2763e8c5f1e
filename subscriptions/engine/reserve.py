"""When the wallet will hold less than the customer wants to keep in it, and how much makes it last. By arithmetic.

Nothing here changes the book.
"""

from subscriptions.engine import metering
from subscriptions.engine.access import next_due, settled
from subscriptions.engine.book import Book, Journal
from subscriptions.engine.funds import top_up
from subscriptions.engine.runway import MOST_WORK, RENEWAL, runway
from subscriptions.engine.settlement import settle
from subscriptions.engine.subscription import Sub

# An amount grows at most so often: once for each payment that was still missing.
MOST_TURNS = 200


def falls_below(book: Book, threshold: int, until: int) -> int | None:
    """Return the first instant, at most `until`, at which less than `threshold` can be spent if no money comes in.

    That is the book's own instant if it is so already; None if it does not happen by `until`.
    """
    twin = settled(book, book.at or 0)
    left = MOST_WORK // (RENEWAL + len(twin.subs))
    while left > 0:
        at = twin.at or 0
        if metering.free(twin, at) < threshold:
            return at
        if at >= until:
            return None
        due = next_due(twin, until - at)
        stop = until if due is None else min(due, until)
        # Up to there only meters take money, the unit of each instant as it begins.
        money = twin.balance - threshold
        if twin.meters and metering.used(twin, stop) > money:
            return metering.last_paid([sub for sub in twin.meters.values() if sub.rate], money, stop)
        twin.journal = Journal()
        settle(twin, stop)
        left -= max(1, len(twin.journal.charges))
    return None


def enough_until(book: Book, until: int) -> int:
    """Return a payment, made at the book's instant, with which nothing falls short before `until`; 0 if nothing does.

    It is the least such payment, or a few minor units more where meters run.
    """
    amount = 0
    for _turn in range(MOST_TURNS):
        twin = settled(book, book.at or 0)
        if amount:
            top_up(twin, twin.at or 0, amount)
        end = runway(twin, until)
        if end is None:
            break
        amount += sum(_lacking(book, amount, sub, end.ends_at, until) for sub in end.subs)
    return amount


def _lacking(book: Book, amount: int, sub: Sub, ends_at: int, until: int) -> int:
    """Return what a subscription lacks that is not paid at `ends_at`: a period, or the use up to `until`."""
    if sub.terms.metered:
        return -(-sub.rate * (until - ends_at) // sub.terms.length) + 1
    twin = settled(book, book.at or 0)
    if amount:
        top_up(twin, twin.at or 0, amount)
    settle(twin, ends_at)
    return max(1, sub.due - metering.free(twin, ends_at))

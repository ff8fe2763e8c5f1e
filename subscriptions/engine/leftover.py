"""R2 and R4: the fraction of a minor unit that a metered use leaves when it ends, and what a start needs behind it.

Nobody gets rid of a fraction by ending the use: the book keeps it for the next one that starts on the wallet.
"""

from subscriptions.engine.book import Book
from subscriptions.engine.calendar import LENGTHS
from subscriptions.engine.metering import metered
from subscriptions.engine.subscription import Sub, Terms

# What the book keeps is counted in so many parts of a minor unit: every plain interval divides it.
PARTS = LENGTHS["week"]


def carry(book: Book, sub: Sub, terms: Terms) -> None:
    """Take the fraction along from one rate to another; where no rate follows, leave it to the book."""
    if not sub.remainder:
        return
    if terms.metered and terms.amount:
        sub.remainder = sub.remainder * terms.length // sub.terms.length
    else:
        leave(book, sub)


def leave(book: Book, sub: Sub) -> None:
    """Leave the fraction of a use that is over to the book."""
    if sub.remainder:
        book.leftover += sub.remainder * PARTS // sub.terms.length
        sub.remainder = 0


def take_up(book: Book, sub: Sub) -> None:
    """Let a use that starts go on from what the book kept, if it costs anything."""
    if sub.rate and book.leftover:
        parts, rest = divmod(book.leftover * sub.terms.length, PARTS)
        sub.remainder += parts
        book.leftover = rest // sub.terms.length


def needed(book: Book, sub: Sub, terms: Terms, others: int) -> int:
    """Return the minor units behind a start under metered terms: one whole for it and for each of the `others` that
    run, and what is brought over. With less, many could run on the one unit that none of them has used up.
    """
    if terms.amount == 0:
        return 0
    return 1 + others + (sub.remainder + book.leftover * terms.length // PARTS) // terms.length


def running(book: Book, but: Sub | None = None) -> int:
    """Count the uses that cost something now."""
    return sum(1 for sub in metered(book) if sub.rate and sub is not but)

"""R2 and R4: fractions of a minor unit that were used and are not charged yet.

Nobody gets rid of a fraction by ending the use: the book keeps it for the next one that starts on the wallet. What is
whole of it is charged at once, and what is whole of all fractions is not to be spent on anything else.
"""

from subscriptions.engine.book import Book
from subscriptions.engine.calendar import LENGTHS
from subscriptions.engine.noting import charge_leftover
from subscriptions.engine.subscription import Sub, Terms

# Fractions of several rates are added up in so many parts of a minor unit: every plain interval divides it.
PARTS = LENGTHS["week"]


def carry(book: Book, sub: Sub, at: int, terms: Terms) -> None:
    """Take the fraction along from one rate to another; where no rate follows, leave it to the book."""
    if terms.metered and terms.amount:
        sub.remainder = sub.remainder and sub.remainder * terms.length // sub.terms.length
    else:
        leave(book, sub, at)


def leave(book: Book, sub: Sub, at: int) -> None:
    """Leave the fraction of a use that is over to the book; what is whole there now is charged to it, if funded."""
    if not sub.remainder:
        return
    book.leftover += _parts(sub)
    sub.remainder = 0
    whole = min(book.leftover // PARTS, book.balance)
    book.leftover -= whole * PARTS
    charge_leftover(book, sub, at, whole, rest=book.leftover % PARTS * sub.terms.length // PARTS)


def take_up(book: Book, sub: Sub, at: int) -> None:
    """Let a use that starts go on from what the book kept, if it costs anything. What is whole of it is charged."""
    if not sub.rate:
        return
    length = sub.terms.length
    taken, rest = divmod(book.leftover * length, PARTS)
    book.leftover = rest // length
    whole, sub.remainder = divmod(sub.remainder + taken, length)
    charge_leftover(book, sub, at, whole, rest=sub.remainder)


def behind(book: Book, sub: Sub) -> int:
    """Return the minor units behind a metered start: one whole for it and for each other use that runs, and what is
    whole of the fractions that do not run. With less, many could run on the one unit that none has used up.
    """
    return 1 + sum(1 for one in book.subs if one.is_running and one is not sub) + idle(book)


def backs(book: Book, sub: Sub) -> bool:
    """Tell whether the wallet holds what must be behind a metered start. Counts only where it hangs on that."""
    if not 1 <= book.balance <= len(book.subs) + book.leftover // PARTS + 1:
        return book.balance >= 1
    return book.balance >= behind(book, sub)


def idle(book: Book) -> int:
    """Return the whole minor units in the fractions of what does not run now: they are to be charged before it is."""
    return (book.leftover + sum(_parts(sub) for sub in book.subs if sub.remainder and not sub.is_running)) // PARTS


def spoken_for(book: Book) -> int:
    """Return the whole minor units in all fractions: they were used already and buy nothing else."""
    return (book.leftover + sum(_parts(sub) for sub in book.subs if sub.remainder)) // PARTS


def affords(book: Book, amount: int) -> bool:
    """Tell whether the wallet pays `amount` besides what is spoken for. Counts only where it hangs on that."""
    if not amount:
        return True
    if not amount <= book.balance < amount + len(book.subs) + book.leftover // PARTS + 1:
        return book.balance >= amount
    return book.balance >= amount + spoken_for(book)


def _parts(sub: Sub) -> int:
    return sub.remainder * PARTS // sub.terms.length

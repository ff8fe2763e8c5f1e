"""The wallet and the debt of a book: every movement of money, and the row that says so."""

from datetime import datetime

from tests.subscriptions.engine.model.state import Book, Sub


def move(book: Book, at: datetime, reason: str, amount: int, sub: Sub | None = None) -> None:
    """Move money and write it down. For a subscription it counts in what it was charged."""
    assert book["balance"] + amount >= 0, "a wallet is never negative"
    book["balance"] += amount
    if sub is not None:
        sub["charged"] -= amount
    write(book, at, reason, amount, sub)


def write(book: Book, at: datetime, reason: str, amount: int, sub: Sub | None = None) -> None:
    """Write a row. An amount of zero has none."""
    if amount == 0:
        return
    before = book["rows"][-1]["balance"] if book["rows"] else 0
    assert not book["rows"] or book["rows"][-1]["at"] <= at, "movements are in time order"
    name = sub and sub["name"]
    book["rows"].append(
        {"at": at, "reason": reason, "amount": amount, "balance": before + amount, "subscription": name}
    )


def money_in(book: Book, at: datetime, reason: str, amount: int, sub: Sub | None = None) -> None:
    """R4: credit the wallet; a debt takes its part at once."""
    move(book, at, reason, amount, sub)
    for_debt = min(amount, book["debt"])
    book["debt"] -= for_debt
    move(book, at, "debt_payment", -for_debt)


def charge_or_owe(book: Book, at: datetime, amount: int, sub: Sub) -> None:
    """Charge what was served already: from the wallet as far as it goes, the rest is debt."""
    from_wallet = min(amount, book["balance"])
    move(book, at, "charge", -from_wallet, sub)
    book["debt"] += amount - from_wallet
    sub["charged"] += amount - from_wallet


def lose(book: Book, at: datetime, amount: int) -> None:
    """Take the amount of a lost dispute: what is there, the rest is debt."""
    from_wallet = min(amount, book["balance"])
    move(book, at, "chargeback", -from_wallet)
    book["debt"] += amount - from_wallet

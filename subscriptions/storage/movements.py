"""Post the movements of a batch of books in the ledger: which accounts, which key, and which stand or fall together."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import ledger
from ledger import wallets
from subscriptions.engine.book import Movement
from subscriptions.engine.calendar import to_datetime
from subscriptions.storage.read import LoadedBook


class AlreadyPosted(Exception):
    """A movement with this key was posted before: the whole operation must be rolled back."""


def post(loaded: Sequence[LoadedBook], system: dict[tuple[str, str], int]) -> Callable[[], None]:
    """Post all movements of these books together; return a function that waits and gives each its transaction's id.

    Money that comes or goes has a key of its own, which may have been posted before: ledger.post looks. Everything else
    follows from the wallets, which the caller has locked and read. `system` are the ids of the system accounts that the
    caller knows already, by code and currency; what is needed besides is looked up and added.
    """
    movements = [(item, movement) for item in loaded for movement in item.book.journal.movements]
    if not movements:
        return nothing_to_give
    groups = {id(m.along_with): uuid4() for _, m in movements if m.along_with}
    groups |= {id(m): groups[id(m.along_with)] for _, m in movements if m.along_with}
    if len(movements) == 1 or any(m.key for _, m in movements):
        post_once(movements, groups)
        return nothing_to_give
    if unknown := {(m.counter, item.currency) for item, m in movements if m.counter != "debt"} - system.keys():
        system.update(ledger.system_accounts(unknown))
    ids = ledger.post_locked([locked_entry(item, movement, system, groups) for item, movement in movements])

    def give_ids() -> None:
        for (_, movement), transaction_id in zip(movements, ids(), strict=True):
            movement.transaction_id = transaction_id

    return give_ids


def nothing_to_give() -> None:
    """Every movement has the id of its transaction already."""


def post_once(movements: Sequence[tuple[LoadedBook, Movement]], groups: Mapping[int, UUID]) -> None:
    """Post movements of which some may have been posted before; raise AlreadyPosted if one was."""
    results = ledger.post([ledger_entry(item, movement, groups) for item, movement in movements])
    for (_, movement), result in zip(movements, results, strict=True):
        if result.outcome is ledger.Outcome.EXISTS:
            raise AlreadyPosted(movement.key)
        assert result.id is not None
        assert movement.on_debt or result.balance_after == movement.balance, (movement, result)
        movement.transaction_id = result.id


def ledger_entry(item: LoadedBook, movement: Movement, groups: Mapping[int, UUID]) -> ledger.Entry:
    """Return the ledger entry of a movement, with its two accounts, its key, and the group it stands or falls with."""
    account: int | str = debt_id(item) if movement.on_debt else item.wallet_id
    counter: int | str = debt_id(item) if movement.counter == "debt" else movement.counter
    debit, credit = (account, counter) if leaves(movement) else (counter, account)
    return ledger.Entry(
        entry_key(movement), debit, credit, abs(movement.amount), item.currency, movement.reason,
        to_datetime(movement.at), movement.description, group=groups.get(id(movement)), author=movement.author,
    )  # fmt: skip


def locked_entry(
    item: LoadedBook, movement: Movement, system: Mapping[tuple[str, str], int], groups: Mapping[int, UUID]
) -> tuple[Any, ...]:
    """Return the same as a plain tuple in the order of ledger.LockedEntry: a batch has thousands of them."""
    on_debt, currency = movement.on_debt, item.currency
    account = debt_id(item) if on_debt else item.wallet_id
    counter = debt_id(item) if movement.counter == "debt" else system[movement.counter, currency]
    debit, credit = (account, counter) if leaves(movement) else (counter, account)
    return (
        entry_key(movement), debit, credit, abs(movement.amount), currency, movement.reason, movement.at,
        movement.description, groups.get(id(movement)) if groups else None, None, movement.author,
        None if on_debt else account, None if on_debt else movement.balance, item.customer_id,
    )  # fmt: skip


def leaves(movement: Movement) -> bool:
    """Tell whether the money leaves the movement's account. More debt leaves the debt account, as a charge a wallet."""
    return movement.amount > 0 if movement.on_debt else movement.amount < 0


def entry_key(movement: Movement) -> str:
    """Return the key that prevents a second posting, derived from the movement's cause."""
    if movement.counter == "debt":
        assert movement.along_with is not None
        return f"debt_payment:{entry_key(movement.along_with)}"
    if movement.key:
        return f"{movement.key}:debt" if movement.on_debt else movement.key
    sub = movement.sub
    return f"{movement.reason}:{sub and sub.id}:{movement.at}:{movement.number}"


def debt_id(item: LoadedBook) -> int:
    """Return the account of the customer's debt, opening it on first use."""
    if item.debt_id is None:
        item.debt_id = wallets.debt_id_of(item.customer_id, item.currency)
    return item.debt_id

"""Decide in order which entries of a batch are posted, on plain data: no Django, no SQL, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

SYSTEM_KINDS = frozenset(
    {"gateway_clearing", "revenue", "gateway_fees", "promotions", "adjustments", "disputes", "bank"}
)
# The largest value of bigint.
LARGEST = 2**63 - 1


class Entry(NamedTuple):
    """A movement of money to post: `amount` minor units from `debit` to `credit`.

    `debit` and `credit` are account ids, or codes of system accounts such as `revenue` or `gateway_clearing:stripe`,
    which are created on first use. `key` is derived from the cause. Entries of one `group` are posted together or not
    at all.
    """

    key: str
    debit: int | str
    credit: int | str
    amount: int
    currency: str
    reason: str
    effective_at: datetime
    description: str = ""
    group: UUID | None = None
    reverses: int | None = None
    author: int | None = None


class LockedEntry(NamedTuple):
    """A transaction that follows from a wallet which the caller has locked and read; see `ledger.post_locked`.

    `debit` and `credit` are account ids, `effective_at` is in microseconds since 1970 UTC. `wallet` is the one account
    of the two that is a wallet, with its `balance_after`; both are None if only a debt is moved.
    """

    key: str
    debit: int
    credit: int
    amount: int
    currency: str
    reason: str
    effective_at: int
    description: str
    group: UUID | None
    reverses: int | None
    author: int | None
    wallet: int | None
    balance_after: int | None
    customer: int


class Outcome(StrEnum):
    POSTED = "posted"
    # The same cause was posted before, with the same content. Nothing was done now.
    EXISTS = "exists"
    # The wallet holds less than the amount, or the debt is smaller. Not stored: the same key may be posted later.
    INSUFFICIENT = "insufficient"


class Posted(NamedTuple):
    """The outcome of one entry. `balance_after` is the wallet's balance, or None if the entry moves no wallet."""

    outcome: Outcome
    id: int | None
    balance_after: int | None


class KeyReused(Exception):
    """The key was posted before with different content: two causes share a key, or a cause has changed."""


class CurrencyMismatch(Exception):
    """The entry's currency differs from the currency of one of its accounts."""


class UnknownAccount(LookupError):
    """There is no account with this id, no system account may have this code, or the accounts may not be combined."""


class OutOfOrder(ValueError):
    """The entry is dated before the last transaction of its wallet."""


@dataclass(slots=True)
class AccountState:
    """An account as the database holds it. `balance` and `moved_at` change as entries are decided."""

    id: int
    kind: str
    currency: str
    owner: int | None = None
    balance: int | None = None
    moved_at: datetime | None = None


class Stored(NamedTuple):
    """A transaction in the database whose key is in the batch."""

    id: int
    debit: int
    credit: int
    amount: int
    currency: str
    reason: str
    reverses: int | None
    balance_after: int | None


class Row(NamedTuple):
    """A transaction to insert. `place` is the index of its entry in the batch."""

    place: int
    key: str
    debit: int
    credit: int
    amount: int
    currency: str
    reason: str
    effective_at: datetime
    description: str
    group: UUID | None
    reverses: int | None
    author: int | None
    wallet: int | None
    balance_after: int | None
    customer: int | None


class Batch:
    """Entries to decide one after the other.

    `accounts` are keyed by id, and system accounts also by (code, currency); `stored` transactions by key.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        accounts: Mapping[int | tuple[str, str], AccountState],
        stored: Mapping[str, Stored],
    ) -> None:
        self.entries = entries
        self.accounts = accounts
        self.stored = stored
        # One per entry: the row to insert, the transaction that already has the key, or None for insufficient.
        self.decisions: list[Row | Stored | None] = []
        # Rows of this batch by key.
        self.rows: dict[str, Row] = {}
        # What to restore when a group fails: (index of the entry, account, its earlier balance and moved_at).
        self.journal: list[tuple[int, AccountState, int, datetime | None]] = []
        # Index of the first entry of each group.
        self.group_starts: dict[UUID, int] = {}
        self.failed: set[UUID] = set()

    def decide(self) -> None:
        """Decide every entry. If an entry of a group fails, go back to the group's start and leave the group out."""
        entries, decisions = self.entries, self.decisions
        while (index := len(decisions)) < len(entries):
            entry = entries[index]
            group = entry.group
            if group is not None:
                self.group_starts.setdefault(group, index)
            decision = None if group in self.failed else self._decide_entry(index, entry)
            if decision is None and group is not None and group not in self.failed:
                self.failed.add(group)
                self._rewind(self.group_starts[group])
            else:
                decisions.append(decision)
        if self.group_starts:
            self._refuse_groups_posted_in_part()

    def _decide_entry(self, index: int, entry: Entry) -> Row | Stored | None:
        """Return the row to insert, the transaction that already has the key, or None for insufficient."""
        key, debit, credit, amount, currency, reason, effective_at, description, group, reverses, author = entry
        accounts = self.accounts
        try:
            source = accounts[(debit, currency) if type(debit) is str else debit]  # type: ignore[index]
            target = accounts[(credit, currency) if type(credit) is str else credit]  # type: ignore[index]
        except KeyError:
            raise UnknownAccount(f"{key}: no account {debit!r} or no account {credit!r}") from None
        if key in self.stored or key in self.rows:
            return self._existing(entry, source, target)
        if source.currency != currency or target.currency != currency:
            raise CurrencyMismatch(
                f"{key}: {currency} from an account in {source.currency} to an account in {target.currency}"
            )
        if type(amount) is not int or not 0 < amount <= LARGEST:
            raise ValueError(f"{key}: amount must be a whole number of minor units above zero, not {amount!r}")
        if effective_at.tzinfo is None:
            raise ValueError(f"{key}: effective_at must have a time zone")
        wallet = customer = after = None
        if source.balance is not None or target.balance is not None:
            check_owners(key, source, target)
            if not self._move(index, source, target, amount, effective_at):
                return None
            owned = source if source.kind == "wallet" or target.owner is None else target
            customer = owned.owner
            if owned.kind == "wallet":
                wallet, after = owned.id, owned.balance
        row = Row(
            index, key, source.id, target.id, amount, currency, reason, effective_at, description,
            group, reverses, author, wallet, after, customer,
        )  # fmt: skip
        self.rows[key] = row
        return row

    def _existing(self, entry: Entry, source: AccountState, target: AccountState) -> Row | Stored:
        """Return the transaction with the entry's key; raise KeyReused if it moved something else.

        Date, author and description may differ: the same cause is often tried again later.
        """
        existing = self.stored.get(entry.key) or self.rows[entry.key]
        wanted = (source.id, target.id, entry.amount, entry.currency, entry.reason, entry.reverses)
        posted = (
            existing.debit, existing.credit, existing.amount, existing.currency, existing.reason, existing.reverses,
        )  # fmt: skip
        if posted != wanted:
            raise KeyReused(f"{entry.key}: posted before as {existing}, now requested as {wanted}")
        return existing

    def _move(
        self, index: int, source: AccountState, target: AccountState, amount: int, effective_at: datetime
    ) -> bool:
        """Move the amount and return True, or return False if a wallet would go below zero or a debt above it."""
        less = None if source.balance is None else source.balance - amount
        more = None if target.balance is None else target.balance + amount
        if less is not None and less < 0 and source.kind == "wallet":
            return False
        if more is not None and (more > LARGEST if target.kind == "wallet" else more > 0):
            return False
        for account, balance in ((source, less), (target, more)):
            if balance is None or account.balance is None:
                continue
            self.journal.append((index, account, account.balance, account.moved_at))
            account.balance = balance
            if account.kind == "wallet":
                if account.moved_at is not None and effective_at < account.moved_at:
                    raise OutOfOrder(
                        f"account {account.id} last moved at {account.moved_at}; this entry is dated {effective_at}"
                    )
                account.moved_at = effective_at
        return True

    def _rewind(self, index: int) -> None:
        """Undo every decision from `index` on."""
        while self.journal and self.journal[-1][0] >= index:
            _, account, balance, moved_at = self.journal.pop()
            account.balance, account.moved_at = balance, moved_at
        for decision in self.decisions[index:]:
            if isinstance(decision, Row):
                self.rows.pop(decision.key, None)
        del self.decisions[index:]

    def _refuse_groups_posted_in_part(self) -> None:
        """Raise KeyReused for a group of which only some entries were posted before."""
        pairs = list(zip(self.entries, self.decisions, strict=True))
        stored_groups = {entry.group for entry, decision in pairs if isinstance(decision, Stored)}
        for entry, decision in pairs:
            if entry.group in stored_groups and entry.group is not None and not isinstance(decision, Stored):
                raise KeyReused(f"{entry.key}: other entries of its group were posted before, without this one")


def check_owners(key: str, source: AccountState, target: AccountState) -> None:
    """Raise UnknownAccount for an entry between two customers or two wallets: a statement would miss one of them."""
    if source.owner is not None and target.owner is not None:
        if source.owner != target.owner:
            raise UnknownAccount(f"{key}: accounts {source.id} and {target.id} belong to two customers")
        if source.kind == target.kind:
            raise UnknownAccount(f"{key}: accounts {source.id} and {target.id} are both a {source.kind}")

"""Which entries of a batch are posted: decided in order, on plain data. No Django, no SQL, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

SYSTEM_KINDS = frozenset({"gateway_clearing", "revenue", "gateway_fees", "promotions", "adjustments", "disputes"})
LARGEST = 2**63 - 1


class Entry(NamedTuple):
    """One movement of money that a caller wants: `amount` minor units from `debit` to `credit`.

    A side is an account's id, or a system account's code such as `revenue` or `gateway_clearing:stripe`, which is
    created on first use. `key` is derived from the cause. Entries of one `group` are posted together or not at all.
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


class Outcome(StrEnum):
    POSTED = "posted"
    # The same cause was posted before, with the same content. Nothing was done now.
    EXISTS = "exists"
    # The wallet holds less than that (or the debt is smaller). Not remembered: the same key may be posted later.
    INSUFFICIENT = "insufficient"


class Posted(NamedTuple):
    """What became of one entry. `balance_after` is the wallet's, for an entry that touches one."""

    outcome: Outcome
    id: int | None
    balance_after: int | None


class KeyReused(Exception):
    """The same key was posted before with another content: two causes share a key, or a cause changed its mind."""


class CurrencyMismatch(Exception):
    """An entry's currency is not that of an account it names."""


class UnknownAccount(LookupError):
    """No account has that id, or no system account may have that code."""


class OutOfOrder(ValueError):
    """An entry is dated before the last transaction of its wallet."""


@dataclass(slots=True)
class Side:
    """An account as the database holds it. The balance of a wallet or debt moves as entries are decided."""

    id: int
    kind: str
    currency: str
    owner: int | None = None
    balance: int | None = None
    moved_at: datetime | None = None


class Stored(NamedTuple):
    """A transaction that a key of the batch already has."""

    id: int
    debit: int
    credit: int
    amount: int
    currency: str
    reason: str
    reverses: int | None
    balance_after: int | None


class Row(NamedTuple):
    """A transaction to insert. `place` is the entry's in the batch."""

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
    """Entries decided one after the other against `sides` (by id, or by code and currency) and `stored` (by key)."""

    def __init__(
        self,
        entries: Sequence[Entry],
        sides: Mapping[int | tuple[str, str], Side],
        stored: Mapping[str, Stored],
    ) -> None:
        self.entries = entries
        self.sides = sides
        self.stored = stored
        # One for each entry: a row to insert, what was found, or None for insufficient.
        self.decided: list[Row | Stored | None] = []
        # Rows of this batch by key.
        self.rows: dict[str, Row] = {}
        # What to put back when a group fails: (place of the entry, account, its balance and instant before).
        self.journal: list[tuple[int, Side, int, datetime | None]] = []
        self.begins: dict[UUID, int] = {}
        self.failed: set[UUID] = set()

    def decide(self) -> None:
        """Decide every entry. A group that does not fit is taken back to its beginning and left out whole."""
        entries, decided = self.entries, self.decided
        while (index := len(decided)) < len(entries):
            entry = entries[index]
            group = entry.group
            if group is not None:
                self.begins.setdefault(group, index)
            verdict = None if group in self.failed else self._verdict(index, entry)
            if verdict is None and group is not None and group not in self.failed:
                self.failed.add(group)
                self._rewind(self.begins[group])
            else:
                decided.append(verdict)
        if self.begins:
            self._refuse_groups_posted_in_part()

    def _verdict(self, index: int, entry: Entry) -> Row | Stored | None:
        """Return the row to insert, what stands there already, or None when there is not enough."""
        key, debit, credit, amount, currency, reason, effective_at, description, group, reverses, author = entry
        sides = self.sides
        try:
            source = sides[(debit, currency) if type(debit) is str else debit]  # type: ignore[index]
            target = sides[(credit, currency) if type(credit) is str else credit]  # type: ignore[index]
        except KeyError:
            raise UnknownAccount(f"{key}: no account {debit!r} or no account {credit!r}") from None
        if key in self.stored or key in self.rows:
            return self._found(entry, source, target)
        if source.currency != currency or target.currency != currency:
            raise CurrencyMismatch(
                f"{key}: {currency} from an account of {source.currency} to one of {target.currency}"
            )
        if type(amount) is not int or not 0 < amount <= LARGEST:
            raise ValueError(f"{key}: amount must be a whole number of minor units above zero, not {amount!r}")
        if effective_at.tzinfo is None:
            raise ValueError(f"{key}: effective_at must say its time zone")
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

    def _found(self, entry: Entry, source: Side, target: Side) -> Row | Stored:
        """Return the transaction that has the entry's key; raise KeyReused when it moved something else.

        When it happened, who did it and how it was described may differ: the same cause is often tried again later.
        """
        found = self.stored.get(entry.key) or self.rows[entry.key]
        wanted = (source.id, target.id, entry.amount, entry.currency, entry.reason, entry.reverses)
        if (found.debit, found.credit, found.amount, found.currency, found.reason, found.reverses) != wanted:
            raise KeyReused(f"{entry.key}: posted before as {found}, now asked for as {wanted}")
        return found

    def _move(self, index: int, source: Side, target: Side, amount: int, effective_at: datetime) -> bool:
        """Move the amount if both sides allow it: a wallet stays at zero or above, a debt at zero or below."""
        less = None if source.balance is None else source.balance - amount
        more = None if target.balance is None else target.balance + amount
        if less is not None and less < 0 and source.kind == "wallet":
            return False
        if more is not None and (more > LARGEST if target.kind == "wallet" else more > 0):
            return False
        for side, balance in ((source, less), (target, more)):
            if balance is None or side.balance is None:
                continue
            self.journal.append((index, side, side.balance, side.moved_at))
            side.balance = balance
            if side.kind == "wallet":
                if side.moved_at is not None and effective_at < side.moved_at:
                    raise OutOfOrder(f"account {side.id} moved at {side.moved_at}; an entry is dated {effective_at}")
                side.moved_at = effective_at
        return True

    def _rewind(self, index: int) -> None:
        """Forget every decision from `index` on."""
        while self.journal and self.journal[-1][0] >= index:
            _, side, balance, moved_at = self.journal.pop()
            side.balance, side.moved_at = balance, moved_at
        for verdict in self.decided[index:]:
            if isinstance(verdict, Row):
                self.rows.pop(verdict.key, None)
        del self.decided[index:]

    def _refuse_groups_posted_in_part(self) -> None:
        found = {e.group for e, verdict in zip(self.entries, self.decided, strict=True) if isinstance(verdict, Stored)}
        for entry, verdict in zip(self.entries, self.decided, strict=True):
            if entry.group in found and entry.group is not None and not isinstance(verdict, Stored):
                raise KeyReused(f"{entry.key}: others of its group were posted before, without it")


def check_owners(key: str, source: Side, target: Side) -> None:
    """Refuse an entry that touches two customers or two wallets: a statement would miss one of them."""
    if source.owner is not None and target.owner is not None:
        if source.owner != target.owner:
            raise UnknownAccount(f"{key}: accounts {source.id} and {target.id} are two customers'")
        if source.kind == target.kind:
            raise UnknownAccount(f"{key}: accounts {source.id} and {target.id} are both a {source.kind}")

"""The double-entry ledger. `ledger.post([ledger.Entry(...), ...])` is the only way to move money."""

from ledger.batch import CurrencyMismatch, Entry, KeyReused, Outcome, OutOfOrder, Posted, UnknownAccount
from ledger.posting import post

__all__ = [
    "CurrencyMismatch",
    "Entry",
    "KeyReused",
    "OutOfOrder",
    "Outcome",
    "Posted",
    "UnknownAccount",
    "post",
]

"""The double-entry ledger. `ledger.post([ledger.Entry(...), ...])` is the way to move money.

`ledger.post_locked` does the same for a caller that holds the wallets' locks and has decided already.
"""

from ledger.batch import CurrencyMismatch, Entry, KeyReused, LockedEntry, Outcome, OutOfOrder, Posted, UnknownAccount
from ledger.posting import post, post_locked, system_accounts

__all__ = [
    "CurrencyMismatch",
    "Entry",
    "KeyReused",
    "LockedEntry",
    "OutOfOrder",
    "Outcome",
    "Posted",
    "UnknownAccount",
    "post",
    "post_locked",
    "system_accounts",
]

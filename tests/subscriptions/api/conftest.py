"""Ledger fixtures for the list of transactions."""

from tests.ledger.conftest import debt, top_up, wallet

__all__ = ["debt", "top_up", "wallet"]

"""API clients, shared with the tests of accounts."""

from tests.accounts.conftest import client, pair

__all__ = ["client", "pair"]

"""Callers of the API that get every error as an answer."""

from tests.accounts.conftest import client, pair

__all__ = ["client", "pair"]

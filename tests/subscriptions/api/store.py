"""Helpers that order and list subscriptions through the API. No test lives here."""

from typing import Any

from accounts.models import User
from tests.subscriptions.shop import client

ALL = "/api/subscriptions/"


def order(user: User, **body: Any) -> Any:
    """Order a subscription and return the response."""
    return client(user).post(ALL, body)


def listed(user: User, **query: str) -> list[str]:
    """Return the ids of the listed subscriptions, newest first."""
    return [row["id"] for row in client(user).get(ALL, query).json()["results"]]

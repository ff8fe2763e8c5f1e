"""A client of /api/auth/ that gets every error as a response, and helpers that use tokens."""

from datetime import UTC, datetime

import pytest
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from accounts.tokens import Pair
from tests.conftest import PASSWORD


@pytest.fixture
def client() -> APIClient:
    return APIClient(raise_request_exception=False)


@pytest.fixture
def pair(alice: User) -> Pair:
    """A pair of tokens of Alice."""
    return tokens.issue(alice, now=datetime.now(UTC))


def me(access: str):
    """GET the profile with this access token."""
    return APIClient(raise_request_exception=False).get("/api/auth/me", HTTP_AUTHORIZATION=f"Bearer {access}")


def refreshed(token: str):
    """POST this refresh token for a new pair."""
    return APIClient(raise_request_exception=False).post("/api/auth/token/refresh", {"refresh": token})


def log_in(client: APIClient, **body: str):
    """POST a log-in with the password that all test users share, unless the body has another."""
    return client.post("/api/auth/token", {"password": PASSWORD} | body)

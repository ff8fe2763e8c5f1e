"""Callers of /api/auth/ that get every error as an answer, and brief ways to log in."""

from datetime import UTC, datetime

import pytest
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from accounts.tokens import Pair


@pytest.fixture
def client() -> APIClient:
    return APIClient(raise_request_exception=False)


@pytest.fixture
def pair(alice: User) -> Pair:
    """Tokens of Alice."""
    return tokens.issue(alice, now=datetime.now(UTC))


def me(access: str):
    """Ask who the token lets in."""
    return APIClient(raise_request_exception=False).get("/api/auth/me", HTTP_AUTHORIZATION=f"Bearer {access}")


def refreshed(token: str):
    return APIClient(raise_request_exception=False).post("/api/auth/token/refresh", {"refresh": token})

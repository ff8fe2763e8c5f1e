"""Callers of the API, without and with a token."""

from datetime import UTC, datetime

import pytest
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User


@pytest.fixture
def client() -> APIClient:
    """Nobody in particular. Errors come back as answers, as they do to a real caller."""
    return APIClient(raise_request_exception=False)


def logged_in(user: User) -> APIClient:
    """Return a caller with a fresh access token."""
    caller = APIClient(raise_request_exception=False)
    caller.credentials(HTTP_AUTHORIZATION="Bearer " + tokens.issue(user, now=datetime.now(UTC)).access)
    return caller


@pytest.fixture
def as_alice(alice: User) -> APIClient:
    return logged_in(alice)


@pytest.fixture
def as_mallory(mallory: User) -> APIClient:
    return logged_in(mallory)


@pytest.fixture
def test_urls(settings) -> None:
    """Mount the views of tests/api/urls.py too."""
    settings.ROOT_URLCONF = "tests.core.api.urls"

"""API clients without and with a token."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.urls import set_urlconf
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User


@pytest.fixture
def client() -> APIClient:
    """A client without a token. Exceptions become responses, as for a real client."""
    return APIClient(raise_request_exception=False)


def logged_in(user: User) -> APIClient:
    """Return a client with a new access token of this user."""
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION="Bearer " + tokens.issue(user, now=datetime.now(UTC)).access)
    return client


@pytest.fixture
def as_alice(alice: User) -> APIClient:
    return logged_in(alice)


@pytest.fixture
def as_mallory(mallory: User) -> APIClient:
    return logged_in(mallory)


@pytest.fixture
def test_urls(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Add the views of tests/core/api/urls.py.

    Django keeps what it has read of each list of URLs. The fixture `settings` would have it read them all again.
    """
    with monkeypatch.context() as patch:
        patch.setattr(settings, "ROOT_URLCONF", "tests.core.api.urls")
        yield
    # The last request has set it for this thread.
    set_urlconf(None)

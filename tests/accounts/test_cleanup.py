"""What the hourly clean-up deletes, and what it keeps."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import cleanup, tokens
from accounts.models import RefreshToken

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def test_a_session_is_deleted_when_it_has_expired(alice):
    Client().force_login(alice)
    Session.objects.update(expire_date=NOW)
    assert cleanup.clean(now=NOW - timedelta(seconds=1))["sessions"] == 0
    assert cleanup.clean(now=NOW)["sessions"] == 1
    assert not Session.objects.exists()


def test_a_refresh_token_is_deleted_when_it_has_expired_spent_or_not(alice):
    tokens.issue(alice, now=datetime.now(UTC))
    RefreshToken.objects.update(expires_at=NOW, spent_at=NOW)
    assert cleanup.clean(now=NOW - timedelta(seconds=1))["refresh_tokens"] == 0
    assert cleanup.clean(now=NOW)["refresh_tokens"] == 1

import pytest

from accounts.models import User


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", "alice@example.com", "correct horse battery")


@pytest.fixture
def mallory(db: None) -> User:
    return User.objects.create_user("mallory", "mallory@example.com", "correct horse battery")


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("staff", "staff@example.com", "correct horse battery", is_staff=True)

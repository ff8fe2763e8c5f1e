"""docs/ops/secrets.md: it has every secret of .env.example, and what it says of SECRET_KEY is true."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts import mail_choices
from accounts.models import User
from tests.conftest import PASSWORD
from tests.ops.pages import ROOT

NEW = "another-key-after-the-rotation-" + "k7Qx" * 10
SECRET = re.compile(r"^([A-Z_]*(?:KEY|KEYS|SECRET|PASSWORD|TOKEN|DSN)|ANYMAIL|EMAIL_URL)=", re.MULTILINE)


def test_every_secret_has_a_row() -> None:
    page = (ROOT / "docs/ops/secrets.md").read_text()
    named = set(SECRET.findall((ROOT / ".env.example").read_text()))
    assert {"SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "ANYMAIL"} <= named
    assert {name for name in named if f"`{name}`" not in page} == set()


@pytest.mark.parametrize(("keeps_the_old", "answer"), [(True, 200), (False, 302)])
def test_a_session_lives_as_long_as_the_old_key_is_a_fallback(
    alice: User, settings: Any, keeps_the_old: bool, answer: int
) -> None:
    browser = Client()
    assert browser.post("/login/", {"login": "alice", "password": PASSWORD}).status_code == 302
    assert browser.get("/account/").status_code == 200
    rotate(settings, keeps_the_old=keeps_the_old)
    assert browser.get("/account/").status_code == answer


@pytest.mark.parametrize("keeps_the_old", [True, False])
def test_a_link_that_stops_mails_lives_as_long(alice: User, settings: Any, keeps_the_old: bool) -> None:
    url = mail_choices.stop_url(alice, mail_choices.MailCategory.REMINDERS)
    rotate(settings, keeps_the_old=keeps_the_old)
    assert (Client().get(url).status_code == 200) == keeps_the_old


def rotate(settings: Any, *, keeps_the_old: bool) -> None:
    """Set a new SECRET_KEY, with the old one as a fallback or not."""
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if keeps_the_old else []
    settings.SECRET_KEY = NEW

"""The sample kinds, and a mail server that tests can break."""

from typing import Any

import pytest
from django.core.mail import EmailMessage

from tests.events.mails.post import PATH, Post


@pytest.fixture(autouse=True)
def post(settings: Any) -> type[Post]:
    """Send mails to Post, which works; let the kinds be the samples."""
    settings.MAIL_BACKEND = PATH
    settings.MAIL_KINDS = ["tests.events.mails.sample.KINDS"]
    Post.taken, Post.opened, Post.is_down, Post.refuses, Post.breaks_off = [], 0, False, {}, False
    Post.before = staticmethod(_nothing)
    return Post


def _nothing(message: EmailMessage) -> None:
    """Let the message pass."""

"""A mail server that is down fails no request: its mails wait."""

import pytest
from django.test import Client

from core import clock
from events.mails import delivery
from events.models import Mail

PASSWORD = "correct horse battery staple"


@pytest.mark.parametrize("verification", ["none", "mandatory"])
@pytest.mark.django_db(transaction=True)
def test_pages_that_send_mails_answer_as_ever_and_the_mails_wait(settings, alice, verification):
    settings.MAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_BACKEND = "events.mails.backend.Outbox"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    browser = Client()
    new = {"username": "newcomer", "email": "newcomer@example.com", "password1": PASSWORD}
    assert browser.post("/signup/", new).status_code == 302
    browser.logout()
    assert browser.post("/password/reset/", {"email": "alice@example.com"}).status_code == 302
    assert browser.post("/password/reset/", {"email": "nobody@example.com"}).status_code == 302
    log_in = browser.post("/login/", {"login": "alice", "password": PASSWORD})
    assert log_in.status_code == 302
    waiting = Mail.objects.filter(state=Mail.State.WAITING)
    assert waiting.count() >= 3
    assert delivery.run(now=clock.now()).sent == 0
    assert waiting.exclude(reason="").exists()
    assert not Mail.objects.exclude(state=Mail.State.WAITING).exists()

"""Mails go to a real SMTP server by Django's own backend, and its refusals are understood."""

import pytest

from events.mails import delivery
from events.mails.delivery import Sent
from events.models import Mail
from tests.events.mails.sample import NOON, at, waiting
from tests.events.mails.smtp_server import SmtpServer, serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def smtp(settings):
    """A server that knows no Mallory, and for now has no room for the disabled customer."""
    refuses = {"mallory@example.com": "550 5.1.1 No such user", "disabled@example.com": "452 4.2.2 Mailbox full"}
    with serving(refuses) as server:
        settings.MAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield server


def test_mails_are_taken_refused_for_good_or_refused_for_now(alice, mallory, disabled, smtp: SmtpServer):
    for customer in (mallory, disabled, alice):
        waiting(customer, "one")
    assert delivery.run(now=NOON) == Sent(sent=1, failed=1, parked=1)
    assert dict(Mail.objects.values_list("customer__username", "state")) == {
        "alice": "sent", "mallory": "parked", "disabled": "waiting",
    }  # fmt: skip
    assert Mail.objects.get(customer=mallory).reason == "550 5.1.1 No such user"
    assert Mail.objects.get(customer=disabled).reason == "452 4.2.2 Mailbox full"
    [taken] = smtp.taken
    assert "To: alice@example.com" in taken
    assert f"Message-ID: {'<' + Mail.objects.get(customer=alice).public_id}@127.0.0.1>" in taken
    smtp.refuses = {}
    # A minute after the try, which was at noon and however long the server took.
    assert delivery.run(now=at(minutes=3)) == Sent(sent=1)


def test_a_server_that_is_gone_is_no_fault_of_the_mail(alice, smtp: SmtpServer, settings):
    settings.EMAIL_PORT = 1
    waiting(alice, "one")
    assert delivery.run(now=NOON) == Sent()
    mail = Mail.objects.get()
    assert (mail.state, mail.tries) == ("waiting", 0)
    assert "refused" in mail.reason


def test_a_backend_that_does_not_exist_is_named_in_the_reason(alice, settings):
    settings.MAIL_BACKEND = "no.such.Backend"
    waiting(alice, "one")
    assert delivery.run(now=NOON) == Sent()
    assert "No module named 'no'" in Mail.objects.get().reason

"""Mails of the log-in go into the outbox: a mail server that is down fails no page and loses nothing."""

import re

import pytest
from django.core import mail as django_mail
from django.core.mail import EmailMessage, send_mail
from django.db import transaction
from django.test import Client

from core import clock
from events import tasks
from events.mails import delivery
from events.models import Mail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def outbox(settings, monkeypatch):
    """Use the site's own mail backend, and let a poke do its work at once."""
    settings.EMAIL_BACKEND = "events.mails.backend.Outbox"
    monkeypatch.setattr(tasks.deliver_mails, "delay", tasks.deliver_mails)


def test_a_reset_mail_is_sent_at_once_and_its_link_is_not_kept(alice, post):
    assert Client().post("/password/reset/", {"email": "alice@example.com"}).status_code == 302
    [message] = post.taken
    assert message.to == ["alice@example.com"]
    assert re.search(r"/password/reset/key/\S+", str(message.body))
    mail = Mail.objects.get()
    assert (mail.kind, mail.customer, mail.state, mail.subject) == ("login", alice, "sent", "Set a new password")
    assert (mail.text, mail.html) == ("", "")


def test_a_server_that_is_down_fails_no_page_and_the_mail_arrives_later(alice, post):
    post.is_down = True
    assert Client().post("/password/reset/", {"email": "alice@example.com"}).status_code == 302
    assert post.taken == []
    post.is_down = False
    assert delivery.run(now=clock.now()).sent == 1
    assert "/password/reset/key/" in str(post.taken[0].body)


def test_a_mail_to_an_address_that_nobody_has_is_sent_too(post, db):
    Client().post("/password/reset/", {"email": "nobody@example.com"})
    assert [message.to for message in post.taken] == [["nobody@example.com"]]
    assert Mail.objects.get().customer is None


def test_a_mail_of_a_transaction_that_is_rolled_back_is_not_sent(alice, post):
    with transaction.atomic():
        send_mail("Subject", "Text", None, ["alice@example.com"], html_message="<p>Text</p>")
        transaction.set_rollback(True)
    assert not Mail.objects.exists()
    assert post.taken == []


def test_text_and_html_are_kept_until_they_are_sent(alice, post):
    post.is_down = True
    send_mail("Two\nlines", "Text", None, ["alice@example.com", "Bob <bob@example.com>"], html_message="<p>Html</p>")
    assert list(Mail.objects.order_by("pk").values_list("customer", "address", "subject", "text", "html")) == [
        (alice.pk, "alice@example.com", "Two lines", "Text", "<p>Html</p>"),
        (None, "bob@example.com", "Two lines", "Text", "<p>Html</p>"),
    ]


def test_what_cannot_be_kept_is_refused_by_name(db):
    message = EmailMessage("Subject", "Text", None, ["alice@example.com"], bcc=["eve@example.com"])
    with pytest.raises(ValueError, match="one recipient"):
        django_mail.get_connection().send_messages([message])

"""A new address is used once the link that was sent to it is opened, and the old one is told."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.models import User
from tests.conftest import PASSWORD

NEW = "alice.new@example.com"


@pytest.fixture
def browser(alice: User) -> Client:
    """Alice's browser, just logged in with the password."""
    client = Client()
    client.post("/login/", {"login": "alice", "password": PASSWORD})
    client.post("/reauthenticate/", {"password": PASSWORD})
    return client


def link() -> str:
    """Return the path of the link in the one mail that was sent, and forget the mail."""
    [message] = mail.outbox
    mail.outbox.clear()
    [path] = set(re.findall(r"http://127\.0\.0\.1:8000(\S*/email/change/\S+)", str(message.body)))
    return str(path)


def test_the_address_changes_when_the_link_is_opened(alice, browser):
    answer = browser.post("/email/", {"email": " Alice.New@Example.com "})
    assert (answer.status_code, answer["Location"]) == (303, "/account/settings/")
    assert mail.outbox[0].to == [NEW]
    path = link()
    # Mail programs open links to look at them.
    page = browser.get(path)
    assert NEW in page.content.decode()
    assert User.objects.get().email == "alice@example.com"
    assert browser.post(path).status_code == 303
    assert User.objects.get().email == NEW
    [row] = EmailAddress.objects.filter(user=alice)
    assert (row.email, row.verified, row.primary) == (NEW, True, True)
    [notice] = mail.outbox
    assert notice.to == ["alice@example.com"]
    assert NEW in str(notice.body)
    assert Client().post("/login/", {"login": NEW, "password": PASSWORD}).status_code == 302
    # A link works once.
    assert browser.post(path).status_code == 410


def test_the_link_is_for_its_owner_while_logged_in_and_for_a_day(mallory, browser):
    browser.post("/email/", {"email": NEW})
    path = link()
    stranger = Client()
    assert stranger.post(path).status_code == 302
    stranger.force_login(mallory)
    assert stranger.post(path).status_code == 410
    assert browser.post(path[:-3] + "xx/").status_code == 410
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1, seconds=2)):
        later = Client()
        later.force_login(User.objects.get(username="alice"))
        assert later.post(path).status_code == 410
    assert not User.objects.filter(email=NEW).exists()


def test_who_asks_for_a_taken_address_learns_nothing_and_its_owner_is_told(mallory, browser):
    free = browser.post("/email/", {"email": NEW}, follow=True).content.decode()
    mail.outbox.clear()
    taken = browser.post("/email/", {"email": "MALLORY@example.com"}, follow=True).content.decode()
    assert "We sent a link to mallory@example.com." in taken
    assert "We sent a link to alice.new@example.com." in free
    [message] = mail.outbox
    assert (message.to, message.subject) == (["mallory@example.com"], "You already have an account")
    assert "/email/change/" not in str(message.body)


def test_an_address_that_is_taken_meanwhile_changes_nothing(browser, mallory):
    browser.post("/email/", {"email": NEW})
    path = link()
    User.objects.filter(pk=mallory.pk).update(email=NEW)
    assert "This email address is not available" in browser.post(path, follow=True).content.decode()
    assert User.objects.get(username="alice").email == "alice@example.com"
    assert mail.outbox == []


@pytest.mark.parametrize(
    "address", ["", "nonsense", "a b@example.com", "alice@example.com", "x" * 250 + "@example.com"]
)
def test_an_address_that_cannot_be_is_refused(browser, address):
    answer = browser.post("/email/", {"email": address})
    assert answer.status_code == 422
    assert 'href="#id_email"' in answer.content.decode()
    assert mail.outbox == []


def test_the_password_is_asked_for_when_the_log_in_is_old(alice):
    old = Client()
    old.force_login(alice)
    answer = old.get("/email/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/reauthenticate/")


def test_links_are_sent_a_few_times_only(browser):
    codes = [browser.post("/email/", {"email": f"a{n}@example.com"}).status_code for n in range(11)]
    assert codes == [303] * 10 + [429]

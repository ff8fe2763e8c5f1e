"""The mails about accounts: in one look with all others, in the owner's language, by pages and API."""

from datetime import UTC, datetime
from pathlib import Path

import allauth
import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from accounts import mails, registration
from accounts.models import User
from events.models import Event
from tests.conftest import PASSWORD
from tests.letters import words_of
from tests.subscriptions.shop import client

NEW = "correct horse battery staple"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
# What allauth puts into its mails, all of it together.
VALUES = {
    "email": "alice@example.com", "username": "alice", "activate_url": "https://x.example/confirm/1/",
    "password_reset_url": "https://x.example/reset/1/", "code": "ABC-123", "timestamp": NOON, "ip": "203.0.113.7",
    "from_email": "old@example.com", "to_email": "new@example.com", "deleted_email": "gone@example.com",
}  # fmt: skip


def sent() -> EmailMultiAlternatives:
    """Return the one mail that was sent, and forget it."""
    [message] = mail.outbox
    mail.outbox.clear()
    assert isinstance(message, EmailMultiAlternatives)
    return message


def html(message: EmailMultiAlternatives) -> str:
    return str(message.alternatives[0][0])


def test_a_new_customer_is_greeted_in_english(db):
    registration.register(username="<b>eve", email="eve@example.com", password=NEW)
    message = sent()
    assert message.subject == "Welcome to Acme Billing"
    assert str(message.body).split("\n-- \n")[0].splitlines() == [
        "Hello <b>eve,",
        "",
        "Your account is ready. You log in as <b>eve. Choose a plan to begin. You pay only for what you choose.",
        "",
        "See plans: http://127.0.0.1:8000/pricing/",
    ]
    assert "<b>eve" not in html(message)
    assert "You log in as &lt;b&gt;eve." in html(message)
    assert not Event.objects.exists()


def test_a_new_customer_is_greeted_in_russian(db):
    registration.register(username="anna", email="anna@example.com", password=NEW, language="ru")
    message = sent()
    assert message.subject == "Acme Billing: добро пожаловать"
    assert "Учётная запись готова. Имя для входа: anna. Чтобы начать, выберите тариф." in message.body
    assert "http://127.0.0.1:8000/ru/pricing/" in message.body


@pytest.mark.parametrize(("verification", "subject"), [("none", "Welcome"), ("optional", "Confirm your email")])
def test_a_sign_up_on_the_page_is_greeted_once(db, settings, verification, subject):
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    Client().post("/signup/", {"username": "anna", "email": "anna@example.com", "password1": NEW})
    message = sent()
    assert message.subject.startswith(subject)
    assert ("Welcome to " in message.body) is (verification != "none")


def test_every_mail_of_allauth_has_our_look():
    """A new version of allauth with another mail fails here."""
    templates = Path(allauth.__file__).parent / "templates"
    found = {
        f"{app}/email/{path.name.removesuffix('_message.txt')}"
        for app in ("account", "mfa")
        for path in (templates / app / "email").glob("*_message.txt")
    }
    assert {*mails.MAILS, *mails.CHANGES} == found - {"account/email/base"}


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("name", [*mails.MAILS, *mails.CHANGES])
def test_each_has_text_and_html_in_both_languages(alice, name, language):
    alice.language = language
    values = {key: value for key, value in VALUES.items() if key != "code" or name.endswith("_code")}
    mails.send(lambda: mails.of(name, values), "alice@example.com", user=alice, language="en")
    message = sent()
    page = html(message)
    assert page.startswith("<!doctype html>")
    assert f'<html lang="{language}">' in page
    assert f'letter-spacing:-.3px">{message.subject}</h1>' in page.replace("&#x27;", "'")
    is_russian = any("а" <= letter <= "я" for letter in str(message.subject))
    assert is_russian is (language == "ru")
    assert ("Hello alice," in message.body) is ("Hello alice," in words_of(page)) is (language == "en")
    button = next((line for line in str(message.body).splitlines() if ": http" in line), "")
    assert button.split(": ", 1)[-1] in page


def test_a_reset_in_english(alice):
    Client().post("/password/reset/", {"email": "alice@example.com"})
    message = sent()
    lines = str(message.body).splitlines()
    link = lines[6].removeprefix("Set a new password: ")
    assert lines[:6] == [
        "Hello alice,", "", "You, or someone else, asked to reset the password of your account.", "",
        "Username: alice", "",
    ]  # fmt: skip
    assert link.startswith("http://127.0.0.1:8000/password/reset/key/")
    assert f'href="{link}"' in html(message)


def test_a_mail_to_an_address_that_nobody_has_says_why_it_came(db, settings):
    settings.SELLER_NAME = "Smith & Sons"
    Client().post("/ru/password/reset/", {"email": "nobody@example.com"})
    message = sent()
    assert message.subject == "Нет учётной записи с этим адресом"
    assert "Вы получили это письмо, потому что кто-то указал ваш адрес на сайте Acme Billing." in message.body
    assert "/account/settings/" not in message.body + html(message)
    assert "\nSmith & Sons\n" in message.body
    assert "Smith &amp; Sons" in html(message)


def test_a_change_of_the_password_is_told_in_the_owners_language_and_zone(alice):
    User.objects.filter(pk=alice.pk).update(language="ru", time_zone="Europe/Moscow")
    browser = Client()
    browser.force_login(alice)
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    browser.post("/password/change/", form, REMOTE_ADDR="203.0.113.7")
    message = sent()
    assert message.subject == "Пароль изменён"
    assert "\u00a0MSK\n" in message.body
    assert "IP-адрес: 203.0.113.7" in message.body


def test_a_change_by_the_api_is_told_and_a_new_address_at_the_one_before(alice):
    change = {"email": "new@example.com", "current_password": PASSWORD}
    assert client(alice).patch("/api/auth/me", change).status_code == 200
    message = sent()
    assert (message.to, message.subject) == (["alice@example.com"], "Your email address was changed")
    assert "Address before: alice@example.com\nAddress now: new@example.com\n" in message.body
    # That address can set no new password any more.
    assert "If it was not you, write to us at once." in message.body
    assert "/password/reset/" not in message.body + html(message)
    client(alice).patch("/api/auth/me", {"password": NEW, "current_password": PASSWORD})
    message = sent()
    assert (message.to, message.subject) == (["new@example.com"], "Your password was changed")
    assert client(alice).patch("/api/auth/me", {"first_name": "Alice"}).status_code == 200
    assert mail.outbox == []


def test_an_account_without_an_address_gets_none(alice):
    alice.email = ""
    mails.password_changed(alice, now=NOON)
    assert mail.outbox == []

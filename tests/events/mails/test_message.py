"""Who gets a mail, and the headers that it has."""

import pytest

from accounts import mail_choices
from accounts.mail_choices import MailCategory
from accounts.models import User
from events.mails import message
from events.mails.message import Skipped
from events.models import Mail, UnreachableAddress
from tests.events.mails.sample import NOON, waiting

pytestmark = pytest.mark.django_db(transaction=True)


def made(mail: Mail):
    """Return the message of a mail that is sent."""
    built = message.of(mail, now=NOON)
    assert not isinstance(built, Skipped)
    return built


def test_a_mail_about_money_has_no_link_to_stop_it(alice, settings):
    settings.SELLER_NAME, settings.SELLER_EMAIL = "Acme, Ltd", "hello@acme.example"
    settings.SITE_URL, settings.DEFAULT_FROM_EMAIL = "https://billing.example.com", "Acme <billing@acme.example>"
    [mail] = waiting(alice, "one")
    built = made(mail).message()
    assert built["To"] == "alice@example.com"
    assert built["From"] == "Acme <billing@acme.example>"
    assert built["Reply-To"] == '"Acme, Ltd" <hello@acme.example>'
    assert built["Message-ID"] == f"<{mail.public_id}@billing.example.com>"
    assert built["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in built
    assert [part.get_content_type() for part in built.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip


def test_an_optional_mail_is_stopped_by_one_click(alice):
    [mail] = waiting(alice, "one", kind="sample", cause="c")
    headers = made(mail).message()
    link = headers["List-Unsubscribe"].strip("<>")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail_choices.read_token(link.split("/")[-2]) == (alice, MailCategory.CHANGES)


def test_a_category_that_is_switched_off_is_not_sent(alice):
    mail_choices.stop(alice, MailCategory.CHANGES)
    [mail] = waiting(alice, "one", kind="sample", cause="c")
    assert message.of(mail, now=NOON) == Skipped("The customer has switched off such mails.")
    [bill] = waiting(alice, "two")
    assert made(bill).to == ["alice@example.com"]


def test_a_closed_account_gets_mails_about_money_only(disabled):
    [bill] = waiting(disabled, "one")
    [news] = waiting(disabled, "two", kind="sample", cause="c")
    assert made(bill).to == ["disabled@example.com"]
    assert message.of(news, now=NOON) == Skipped("The account is closed.")


def test_an_address_that_bounced_gets_nothing_until_it_changes(alice):
    UnreachableAddress.objects.create(address="alice@example.com", bounced_at=NOON)
    [mail] = waiting(alice, "one")
    assert isinstance(message.of(mail, now=NOON), Skipped)
    User.objects.filter(pk=alice.pk).update(email="new@example.com")
    assert made(mail).to == ["new@example.com"]


def test_a_customer_without_an_address_gets_nothing(alice):
    User.objects.filter(pk=alice.pk).update(email="")
    [mail] = waiting(alice, "one")
    assert message.of(mail, now=NOON) == Skipped("The customer has no email address.")

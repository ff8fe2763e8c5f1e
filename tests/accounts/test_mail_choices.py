"""Customers choose which mails they get, on their settings page or by the link in a mail, without a log-in."""

import pytest
from django.test import Client

from accounts import mail_choices
from accounts.mail_choices import MailCategory
from accounts.models import User

REMINDERS, CHANGES, MONEY = MailCategory.REMINDERS, MailCategory.CHANGES, MailCategory.MONEY


def path_of(user: User, category: MailCategory) -> str:
    return mail_choices.stop_url(user, category).removeprefix("http://127.0.0.1:8000")


def off(user: User) -> list[str]:
    user.refresh_from_db()
    return user.mails_off


def test_everything_is_sent_until_the_customer_says_otherwise(alice):
    assert [mail_choices.wants(alice, category) for category in MailCategory] == [True] * 4
    mail_choices.choose(alice, ["changes"])
    assert off(alice) == ["reminders"]
    assert [mail_choices.wants(alice, category) for category in (REMINDERS, CHANGES, MONEY)] == [False, True, True]


def test_looking_at_the_link_changes_nothing_and_pressing_the_button_stops_the_mails(alice):
    """Programs that scan mails open their links."""
    browser, path = Client(enforce_csrf_checks=True), path_of(alice, REMINDERS)
    page = browser.get(path)
    assert page.status_code == 200
    assert '<form method="post"' in page.content.decode()
    assert off(alice) == []
    assert browser.post(path).status_code == 200
    assert off(alice) == ["reminders"]
    assert "You get no more emails of this kind" in browser.get(path).content.decode()


def test_a_mail_program_stops_them_by_one_click(alice):
    """RFC 8058: a POST without cookies, with this body."""
    program = Client(enforce_csrf_checks=True)
    for _ in range(2):
        answer = program.post(path_of(alice, CHANGES), {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    assert off(alice) == ["changes"]


def test_mails_about_money_cannot_be_stopped(alice):
    assert Client().post(path_of(alice, MONEY)).status_code == 200
    assert off(alice) == []


@pytest.mark.parametrize("token", ["x", "WzEsInJlbWluZGVycyJd:1abc:forged", "a:b:c"])
def test_a_link_that_we_did_not_make_stops_nothing(alice, token):
    assert Client().post(f"/mails/stop/{token}/").status_code == 404
    assert off(alice) == []


@pytest.fixture
def browser(alice) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def test_the_settings_page_has_the_choices(alice, browser):
    mail_choices.stop(alice, REMINDERS)
    page = browser.get("/account/settings/").content.decode()
    boxes = page.split('<h2 id="mails">')[1].split("</form>")[0]
    assert boxes.count("checked") == 1
    assert boxes.index('value="changes"') < boxes.index("checked") < boxes.index("Changes of your subscriptions")
    assert browser.post("/account/settings/mails/", {"mails": ["reminders"]})["Location"] == "/account/settings/"
    assert off(alice) == ["changes"]
    # A form without a ticked box switches all off; a box that is not there is refused.
    browser.post("/account/settings/mails/")
    assert off(alice) == ["reminders", "changes"]
    assert browser.post("/account/settings/mails/", {"mails": ["money"]}).status_code == 400
    assert off(alice) == ["reminders", "changes"]


def test_the_time_zone_is_chosen_from_a_list(alice, browser):
    saved = browser.post("/account/settings/", {"language": "en", "time_zone": "Europe/Moscow"})
    assert saved.status_code == 303
    alice.refresh_from_db()
    assert alice.zone.key == "Europe/Moscow"
    refused = browser.post("/account/settings/", {"language": "en", "time_zone": "Mars/Olympus"})
    assert refused.status_code == 422
    assert "Choose a time zone from the list, such as Europe/Moscow." in refused.content.decode()
    alice.refresh_from_db()
    assert alice.zone.key == "Europe/Moscow"


def test_without_a_choice_the_zone_is_the_sites(alice, settings):
    assert alice.zone.key == settings.TIME_ZONE == "UTC"

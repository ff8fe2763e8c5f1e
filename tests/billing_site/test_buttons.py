"""Addresses that only a button uses: whose session has ended comes back to its page, and who opens one is led there."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from tests.billing_site.policy import ROWS, Answer
from tests.billing_site.test_policy import addresses
from tests.billing_site.test_policy import things as things
from tests.conftest import PASSWORD
from tests.web import heading, words

# Every address of a page that refuses a GET, with the page that its button is on.
PAGES = {
    "auto_top_up_off": "automatic_payments", "automatic_payments_withdraw": "automatic_payments",
    "payment_cancel": "payment", "payment_open": "payment",
    "payment_method_add": "account", "payment_method_remove": "account",
    "send_confirmation": "settings",
    "settings_end_session": "settings", "settings_log_out_elsewhere": "settings",
    "settings_mails": "settings", "settings_profile": "settings",
    "subscription_keep_plan": "subscription", "subscription_renew": "subscription",
    "subscription_start": "subscription", "subscription_undo_cancel": "subscription",
}  # fmt: skip


@pytest.fixture
def url(things: dict[str, Any]) -> Any:
    """Return a function that returns the URL with this name about Alice's things."""

    def url(name: str) -> str:
        with override("en"):
            return reverse(name, kwargs={part: things[thing] for part, thing in ROWS[name].address.items()})

    return url


def test_the_list_has_every_address_that_refuses_a_get(client, alice, url):
    client.force_login(alice)
    pages = {name for name, route in addresses() if not route.startswith(("api/", "admin/", "webhooks/"))}
    own = [name for name, row in ROWS.items() if row.who["anonymous"] is Answer.LOGIN and name in pages]
    assert {name for name in own if client.get(url(name)).status_code == 405} == set(PAGES)


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_after_log_in_an_ended_session_is_back_on_the_page_of_the_button(client, alice, url, prefix):
    client.force_login(alice)
    for name, page in PAGES.items():
        refused = Client().post(prefix + url(name))
        assert refused.status_code == 302, name
        login, _, page_shown = refused["Location"].partition("?next=")
        assert (login, page_shown) == (f"{prefix}/login/", prefix + url(page)), name
        assert client.get(page_shown).status_code == 200, name


def test_the_log_in_says_why_it_is_asked_for_and_leads_back(alice, url):
    visitor = Client()
    refused = visitor.post(url("subscription_renew"))
    asked = visitor.get(refused["Location"])
    assert "You were logged out. Log in, and press the button again." in words(asked)
    entered = visitor.post(refused["Location"], {"login": "alice", "password": PASSWORD})
    assert entered["Location"] == url("subscription")


def test_it_is_the_page_that_the_browser_names_if_that_is_one_of_ours(client, url):
    for referrer, page in {
        "http://testserver/account/?x=1": "/account/?x=1",
        "http://elsewhere.example/account/": url("subscription"),
        "http://testserver/no-such-page/": url("subscription"),
        "http://testserver//elsewhere.example/": url("subscription"),
        # The settings with an error have the address of their button.
        "http://testserver/account/settings/profile/": url("subscription"),
        "http://testserver/account/?x=" + "x" * 500: url("subscription"),
        "http://[": url("subscription"),
    }.items():
        answer = client.post(url("subscription_renew"), headers={"referer": referrer})
        assert answer["Location"] == reverse("account_login") + "?next=" + page.replace("?", "%3F").replace("=", "%3D")


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_opening_the_address_of_a_button_shows_a_page_that_leads_back(client, alice, url, prefix):
    client.force_login(alice)
    answer = client.get(prefix + url("subscription_renew"))
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert heading(answer) == ("По этому адресу нет страницы" if prefix else "This address has no page")
    assert f'<a class="btn" href="{prefix}{url("subscription")}">' in answer.content.decode()


def test_a_page_that_takes_no_post_leads_to_the_start_page(client):
    answer = client.post("/pricing/")
    assert (answer.status_code, heading(answer)) == (405, "This address has no page")
    assert '<a class="btn" href="/">Go back</a>' in answer.content.decode()


def test_programs_get_no_page(client):
    assert client.get("/webhooks/sandbox/").content == b""
    assert client.get("/api/auth/token/")["Content-Type"] == "application/problem+json"

"""The settings list where the customer is logged in; one browser or all others can be logged out."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from accounts import browsers, cleanup
from accounts.models import BrowserSession, User
from tests.web import words

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Mobile/15E148 Safari/604.1"
)


def entered(user: User, agent: str) -> Client:
    """Return a browser in which the user is logged in and has seen a page."""
    client = Client(headers={"user-agent": agent})
    client.force_login(user)
    assert client.get("/account/settings/").status_code == 200
    return client


def is_in(client: Client) -> bool:
    return bool(client.get("/account/settings/").status_code == 200)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Windows"),
        (PHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/131.0 Safari/537.36 Edg/131.0", "Edge on macOS"),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-S918B) SamsungBrowser/27.0 Chrome/125.0 Mobile",
            "Samsung Internet on Android",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 YaBrowser/24.12 Safari/537.36", "Yandex Browser on Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 OPR/115.0", "Opera on Windows"),
        ("curl/8.5.0", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_named_in_words(agent, name):
    assert browsers.in_words(agent) == name


def test_the_settings_list_the_browsers_and_mark_this_one(alice, mallory):
    entered(mallory, "curl/8.5.0")
    entered(alice, PHONE)
    here = entered(alice, FIREFOX)
    page = words(here.get("/account/settings/"))
    assert "Firefox on Windows This browser Last seen" in page
    assert "Safari on iPhone Last seen" in page
    assert page.count("Log out there") == 1
    assert "Unknown browser" not in page
    assert "Firefox, Windows Этот браузер Последний визит:" in words(here.get("/ru/account/settings/"))


def test_one_browser_can_be_logged_out(alice):
    phone, here = entered(alice, PHONE), entered(alice, FIREFOX)
    row = BrowserSession.objects.get(user_agent=PHONE)
    answer = here.post(f"/account/settings/sessions/{row.pk}/end/", follow=True)
    assert "That browser is logged out." in words(answer)
    assert (is_in(phone), is_in(here)) == (False, True)
    assert here.post(f"/account/settings/sessions/{row.pk}/end/").status_code == 404


def test_this_browser_and_those_of_others_cannot_be_ended_there(alice, mallory):
    here, hers = entered(mallory, FIREFOX), entered(alice, PHONE)
    for row in BrowserSession.objects.all():
        assert here.post(f"/account/settings/sessions/{row.pk}/end/").status_code == 404
    assert is_in(here)
    assert is_in(hers)


def test_logging_out_everywhere_else_leaves_this_browser_alone_in_the_list(alice):
    phone, here = entered(alice, PHONE), entered(alice, FIREFOX)
    page = words(here.post("/account/settings/sessions/", follow=True))
    assert (is_in(phone), is_in(here)) == (False, True)
    assert "Firefox on Windows This browser" in page
    assert "iPhone" not in page


def test_a_session_that_a_new_password_has_ended_is_not_listed(alice):
    entered(alice, PHONE)
    alice.set_password("another horse battery staple")
    alice.save()
    here = entered(alice, FIREFOX)
    assert "iPhone" not in words(here.get("/account/settings/"))


def test_a_session_that_is_over_is_not_listed_and_is_forgotten(alice):
    entered(alice, PHONE)
    now = datetime.now(UTC)
    Session.objects.update(expire_date=now - timedelta(seconds=1))
    assert not browsers.of(alice, now=now).exists()
    assert cleanup.clean(now=now)["browsers"] == 1
    assert not BrowserSession.objects.exists()


def test_a_session_is_noted_once_in_ten_minutes(alice, django_assert_num_queries):
    now = datetime.now(UTC)
    seen = {"user_agent": FIREFOX, "address": "192.0.2.1"}
    with django_assert_num_queries(1):
        for minutes in range(9):
            browsers.note(alice, "key", now=now + timedelta(minutes=minutes), **seen)
    cache.delete(f"seen:key:{alice.token_version}")
    browsers.note(alice, "key", now=now + timedelta(minutes=10), user_agent="x\x00" * 1000, address="2001:db8::")
    [row] = BrowserSession.objects.all()
    assert (row.created_at, row.last_seen_at) == (now, now + timedelta(minutes=10))
    assert row.user_agent == "x" * 300


def test_programs_and_visitors_are_not_noted(client, alice):
    client.get("/pricing/")
    client.get("/api/plans/")
    assert not BrowserSession.objects.exists()

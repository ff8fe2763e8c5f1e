"""The pages for sign-up, log-in, log-out and password reset, without JavaScript."""

import re
from functools import partial

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import tokens
from accounts.models import User
from subscriptions import closure
from tests.accounts.conftest import me
from tests.concurrency.sessions import at_once
from tests.conftest import PASSWORD

GOOD = {"username": "bob", "email": "bob@example.com", "password1": "correct horse battery"}
NEW = "four unrelated new words"


@pytest.fixture
def browser() -> Client:
    """A browser with CSRF checks."""
    return Client(enforce_csrf_checks=True)


def send(browser: Client, path: str, **fields):
    """Open the page and submit its form with these and the hidden fields."""
    page = browser.get(path).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    return browser.post(path, hidden | fields)


def text(answer) -> str:
    return str(answer.content.decode())


def is_logged_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("account_signup", "/signup/"),
        ("account_login", "/login/"),
        ("account_logout", "/logout/"),
        ("account_reset_password", "/password/reset/"),
        ("account_reset_password_done", "/password/reset/done/"),
        ("account_change_password", "/password/change/"),
    ],
)
def test_the_pages_have_the_expected_urls(name, path):
    assert reverse(name) == path


def test_sign_up_logs_the_visitor_in(db, browser):
    answer = send(browser, "/signup/", **GOOD)
    assert answer.status_code == 302
    assert answer["Location"] == reverse(settings.LOGIN_REDIRECT_URL)
    assert is_logged_in(browser)
    user = User.objects.get()
    assert (user.username, user.email) == ("bob", "bob@example.com")
    assert user.password.startswith("argon2$argon2id$")


def test_errors_are_listed_on_top_and_the_input_is_kept(alice, browser):
    answer = send(browser, "/signup/", **(GOOD | {"username": "ALICE", "password1": "short"}))
    page = text(answer)
    assert answer.status_code == 200
    assert 'role="alert" tabindex="-1"' in page
    assert re.search(r"<title>\s*Error:", page)
    assert 'href="#id_username"' in page
    assert 'href="#id_password1"' in page
    assert 'value="ALICE"' in page
    assert 'value="bob@example.com"' in page
    assert 'value="short"' not in page
    assert 'aria-invalid="true"' in page
    assert User.objects.count() == 1


@pytest.mark.parametrize("field", ["username", "email"])
def test_a_taken_name_is_refused_in_any_case_or_width(alice, browser, field):
    sent = {"username": "ＡLICE", "email": "ALICE@example.com"}[field]
    assert f'href="#id_{field}"' in text(send(browser, "/signup/", **(GOOD | {field: sent})))
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "name", ["bob@example.com", "b\u202eob", "a b", "x" * 151, "b\x00b", "\u0430dmin", "l.\u0441at", "\u03bfscar"]
)
def test_an_invalid_user_name_is_refused(db, browser, name):
    assert 'href="#id_username"' in text(send(browser, "/signup/", **(GOOD | {"username": name})))


@pytest.mark.parametrize("name", ["anna", "анна", "anna-петрова", "müller_2", "иван.2", "山田", "a+b.c-d_e", "admin"])
def test_a_user_name_in_any_alphabet_is_taken(db, browser, name):
    assert send(browser, "/signup/", **(GOOD | {"username": name})).status_code == 302


def test_the_rule_for_names_is_said_as_the_hint_says_it(db, browser):
    assert "Letters, digits and . + - _ only." in text(browser.get("/signup/"))
    assert "Use letters, digits and . + - _ only." in text(send(browser, "/signup/", **(GOOD | {"username": "a b"})))
    mixed = text(send(browser, "/signup/", **(GOOD | {"username": "\u0430dmin"})))
    assert "A word cannot mix Latin, Cyrillic and Greek letters: some of them look the same." in mixed


def test_sign_up_cannot_grant_permissions(db, browser):
    send(browser, "/signup/", **GOOD, is_staff="on", is_superuser="on", token_version="7")
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)


@pytest.mark.django_db(transaction=True)
def test_only_one_of_eight_simultaneous_sign_ups_gets_the_name():
    def sign_up(number: int) -> int:
        browser = Client(raise_request_exception=False)
        return browser.post("/signup/", GOOD | {"email": f"bob{number}@example.com"}).status_code

    answers = at_once([partial(sign_up, number) for number in range(8)])
    # One succeeds; the others see that the name is taken or, if the limit of sign-ups is reached, a 429.
    assert answers.count(302) == 1
    assert set(answers) <= {200, 302, 429}
    assert User.objects.count() == 1


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.com", "Alice@Example.com", " alice "])
def test_a_user_logs_in_by_name_or_email(alice, browser, login):
    answer = send(browser, "/login/", login=login, password=PASSWORD)
    assert answer.status_code == 302
    assert is_logged_in(browser)


def test_a_wrong_password_and_an_unknown_name_show_the_same_page(alice, disabled):
    def page(login, password):
        answer = text(send(Client(), "/login/", login=login, password=password))
        return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer).replace(login, "LOGIN")

    assert page("alice", "wrong") == page("nobody", "wrong")
    assert 'role="alert"' in page("alice", "wrong")
    # A disabled user with a wrong password sees the same page too.
    assert page("disabled", "wrong") == page("nobody", "wrong")


def test_a_disabled_user_cannot_log_in_and_loses_the_session_at_once(alice, browser):
    send(browser, "/login/", login="alice", password=PASSWORD)
    assert browser.get("/password/change/").status_code == 200
    closure.close(alice, now=timezone.now())
    assert browser.get("/password/change/").status_code == 302
    again = Client()
    send(again, "/login/", login="alice", password=PASSWORD)
    assert not is_logged_in(again)


def test_log_in_changes_the_session_key(alice, browser):
    browser.get("/login/")
    session = browser.session
    session["basket"] = "1"
    session.save()
    browser.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    send(browser, "/login/", login="alice", password=PASSWORD)
    assert browser.cookies[settings.SESSION_COOKIE_NAME].value != session.session_key
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_log_out_requires_post_and_ends_the_session(alice, browser):
    send(browser, "/login/", login="alice", password=PASSWORD)
    key = browser.session.session_key
    assert browser.get("/logout/").status_code == 200
    assert is_logged_in(browser)
    assert send(browser, "/logout/").status_code == 302
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key
    assert not is_logged_in(thief)


@pytest.mark.parametrize("path", ["/login/", "/signup/", "/logout/", "/password/reset/"])
def test_a_post_without_a_csrf_token_is_refused(alice, browser, path):
    browser.force_login(alice)
    assert browser.post(path, {"login": "alice", "password": PASSWORD}).status_code == 403


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "https:evil.example"],
)
def test_log_in_never_redirects_to_another_site(alice, browser, target):
    answer = Client().post("/login/", {"login": "alice", "password": PASSWORD, "next": target})
    assert answer["Location"] == reverse(settings.LOGIN_REDIRECT_URL)


def test_log_in_redirects_to_the_next_url(alice, browser):
    answer = send(browser, "/login/?next=/topup/", login="alice", password=PASSWORD)
    assert answer["Location"] == "/topup/"


def reset_link(browser: Client, email: str, path: str = "/password/reset/", **headers) -> str:
    """Request a password reset and return the link in the mail."""
    browser.post(path, {"email": email}, **headers)
    (link,) = re.findall(r"https?://\S+/password/reset/key/\S+", str(mail.outbox[-1].body))
    return str(link)


def test_a_reset_link_sets_a_new_password_and_works_once(alice):
    pair = tokens.issue(alice, now=alice.date_joined.now(alice.date_joined.tzinfo))
    link = reset_link(Client(), "alice@example.com")
    assert link.startswith(settings.SITE_URL + "/password/reset/key/")
    path = link.removeprefix(settings.SITE_URL)
    browser = Client()
    form = browser.get(path)["Location"]
    assert alice.username not in form
    assert 'autocomplete="new-password"' in text(browser.get(form))
    assert browser.post(form, {"password1": "short", "password2": "short"}).status_code == 200
    assert browser.post(form, {"password1": NEW, "password2": NEW})["Location"] == "/password/reset/key/done/"
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert me(pair.access).status_code == 401
    assert "This link has expired" in text(Client().get(path, follow=True))
    assert mail.outbox[-1].subject == "Your password was changed"


def test_known_and_unknown_addresses_get_the_same_page_and_a_mail(alice):
    known = Client().post("/password/reset/", {"email": "alice@example.com"})
    unknown = Client().post("/password/reset/", {"email": "nobody@example.com"})
    assert known["Location"] == unknown["Location"] == "/password/reset/done/"
    assert [message.to for message in mail.outbox] == [["alice@example.com"], ["nobody@example.com"]]
    assert "key" not in mail.outbox[1].body


def test_links_in_mails_ignore_the_host_header(alice, settings):
    settings.ALLOWED_HOSTS = ["*"]
    reset_link(Client(), "alice@example.com", HTTP_HOST="evil.example")
    Client().post("/password/reset/", {"email": "nobody@example.com"}, HTTP_HOST="evil.example")
    for message in mail.outbox:
        assert "evil.example" not in f"{message.body} {message.subject}"


def test_mails_are_in_the_users_language(alice):
    alice.language = "ru"
    alice.save()
    link = reset_link(Client(), "alice@example.com")
    assert link.startswith(settings.SITE_URL + "/ru/password/reset/key/")
    reset_link(Client(), "alice@example.com", path="/ru/password/reset/")
    alice.language = "en"
    alice.save()
    assert "/ru/" not in reset_link(Client(), "alice@example.com", path="/ru/password/reset/")


def test_changing_the_address_invalidates_older_reset_links(alice):
    path = reset_link(Client(), "alice@example.com").removeprefix(settings.SITE_URL)
    alice.email = "new@example.com"
    alice.save()
    assert "This link has expired" in text(Client().get(path, follow=True))


def test_changing_the_password_ends_all_other_sessions_and_tokens(alice, browser):
    other = Client()
    other.force_login(alice)
    pair = tokens.issue(alice, now=alice.date_joined.now(alice.date_joined.tzinfo))
    send(browser, "/login/", login="alice", password=PASSWORD)
    send(browser, "/password/change/", oldpassword=PASSWORD, password1=NEW, password2=NEW)
    assert is_logged_in(browser)
    assert browser.get("/password/change/").status_code == 200
    assert other.get("/password/change/").status_code == 302
    assert me(pair.access).status_code == 401


@pytest.mark.parametrize(
    ("path", "field", "token"),
    [
        ("/login/", "login", "username"),
        ("/login/", "password", "current-password"),
        ("/signup/", "username", "username"),
        ("/signup/", "email", "email"),
        ("/signup/", "password1", "new-password"),
        ("/password/reset/", "email", "email"),
    ],
)
def test_fields_have_labels_and_autocomplete_tokens(db, path, field, token):
    page = text(Client().get(path))
    (tag,) = re.findall(rf'<input[^>]*name="{field}"[^>]*>', page)
    assert f'autocomplete="{token}"' in tag
    assert "placeholder" not in page
    assert f'<label for="id_{field}">' in page


@pytest.mark.parametrize("path", ["/login/", "/signup/", "/password/reset/", "/password/reset/done/", "/docs/errors/"])
@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_pages_have_no_inline_code_and_load_nothing_from_other_sites(db, prefix, path):
    answer = Client().get(prefix + path)
    assert answer.status_code == 200
    page = text(answer)
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script>|https?://(?!127\.0\.0\.1)", page)
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert f'<html lang="{prefix.strip("/") or "en"}"' in page


def test_pages_with_forms_are_not_cached(alice, browser):
    assert "no-store" in browser.get("/login/")["Cache-Control"]

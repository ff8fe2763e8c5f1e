"""Requests in any charset but UTF-8 are refused, on every page, before anything reads them."""

import pytest
from django.test import Client

from tests.subscriptions.shop import sell

CHARSETS = ["unicode_escape", "raw_unicode_escape", "zip", "rot13", "idna", "utf-16", "utf-7", "koi8-r", "no-such"]
FORM = "".join(
    f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n\\ud800\r\n'
    for name in ("form_key", "shown", "login", "password", "username", "email", "language")
)


def post(
    path: str,
    charset: str,
    kind: str = "multipart/form-data; boundary=b",
    *,
    who=None,
    enforce_csrf_checks: bool = False,
):
    browser = Client(raise_request_exception=False, enforce_csrf_checks=enforce_csrf_checks)
    if who is not None:
        browser.force_login(who)
    body = f"{FORM}--b--\r\n" if "multipart" in kind else "login=%5Cud800&password=x"
    return browser.generic("POST", path, body, content_type=f"{kind}; charset={charset}")


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("path", ["/login/", "/signup/", "/password/reset/", "/language/", "/webhooks/sandbox/"])
def test_a_form_in_another_charset_is_a_bad_request(db, path, charset):
    assert post(path, charset).status_code == 400
    assert post(path, charset, enforce_csrf_checks=True).status_code == 400
    assert post(path, charset, "application/x-www-form-urlencoded").status_code == 400


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_purchase_in_another_charset_is_a_bad_request(alice, charset):
    sell("basic", RUB=990_00)
    for path in ("/account/top-up/", "/checkout/basic/"):
        assert post(path, charset, who=alice).status_code == 400


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", '"utf-8"'])
def test_a_form_in_utf_8_is_read(db, charset):
    assert post("/login/", charset).status_code == 200


@pytest.mark.parametrize("charset", CHARSETS)
def test_the_api_answers_415_and_queries_are_read_as_utf_8(db, charset):
    caller = Client(raise_request_exception=False)
    sent = caller.generic("POST", "/api/auth/token", "{}", content_type=f"application/json; charset={charset}")
    assert sent.status_code == 415
    for path in ("/pricing/?currency=RUB", "/api/plans/"):
        answer = caller.generic("GET", path, content_type=f"text/plain; charset={charset}")
        assert answer.status_code == 200

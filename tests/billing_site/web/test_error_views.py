import pytest
from django.db import OperationalError
from django.test import Client

from core.errors import Unavailable
from subscriptions import catalogue
from tests.web import heading, words


@pytest.mark.parametrize(("prefix", "said"), [("", "There is no such page"), ("/ru", "Такой страницы нет")])
def test_an_unknown_address_is_answered_in_the_readers_language(client, db, prefix, said):
    answer = client.get(prefix + "/nothing/here/")
    assert answer.status_code == 404
    assert heading(answer) == said


@pytest.fixture
def breaking(monkeypatch):
    """Make the price list raise, as a database or a bug may."""

    def breaking(error):
        def raising(*args, **kwargs):
            raise error

        monkeypatch.setattr(catalogue, "prices_on_sale", raising)
        return Client(raise_request_exception=False)

    return breaking


@pytest.mark.parametrize(("prefix", "said"), [("", "Something broke on our side"), ("/ru", "У нас что-то сломалось")])
def test_a_bug_gets_a_page_with_a_reference_and_promises_nothing_about_money(breaking, db, prefix, said):
    answer = breaking(ZeroDivisionError()).get(prefix + "/pricing/")
    assert answer.status_code == 500
    assert heading(answer) == said
    assert answer["X-Request-ID"] in words(answer)
    assert "No money" not in words(answer)


@pytest.mark.parametrize("error", [Unavailable("busy"), OperationalError("busy")])
def test_a_busy_database_is_told_of_and_when_to_come_back(breaking, db, error):
    answer = breaking(error).get("/pricing/")
    assert answer.status_code == 503
    assert heading(answer) == "Busy for a moment"
    assert answer["Retry-After"]


def test_the_page_about_a_bug_needs_no_database(breaking, client):
    """No `db` here: a query would fail this test."""
    assert breaking(ZeroDivisionError()).get("/pricing/").status_code == 500


def test_a_form_without_its_token_is_told_what_to_do(alice, on_sale):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    answer = client.post("/checkout/standard/?currency=RUB", {"method": "sandbox"})
    assert answer.status_code == 403
    assert heading(answer) == "The form has expired"


def test_what_is_not_for_everybody_is_refused_in_words(staff, client):
    client.force_login(staff)
    assert heading(client.get("/admin/ledger/account/")) == "You may not see this page"


def test_no_page_is_run_by_more_than_our_own_files(client, on_sale):
    policy = client.get("/pricing/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    html = client.get("/pricing/").content.decode()
    assert "style=" not in html
    assert "<style" not in html
    assert html.count("<script") == html.count("<script src=") == 1

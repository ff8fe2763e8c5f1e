import pytest
from django.db import OperationalError
from django.test import Client

from core.errors import Unavailable
from subscriptions import catalogue
from tests.web import heading, words


@pytest.mark.parametrize(("prefix", "title"), [("", "Page not found"), ("/ru", "Страница не найдена")])
def test_the_404_page_is_in_the_readers_language(client, db, prefix, title):
    answer = client.get(prefix + "/nothing/here/")
    assert answer.status_code == 404
    assert heading(answer) == title


@pytest.fixture
def breaking(monkeypatch):
    """Return a function that makes the price list raise an error, as the database or a bug might."""

    def breaking(error):
        def raising(*args, **kwargs):
            raise error

        monkeypatch.setattr(catalogue, "prices_on_sale", raising)
        return Client(raise_request_exception=False)

    return breaking


@pytest.mark.parametrize(
    ("prefix", "title"), [("", "Something went wrong on our side"), ("/ru", "У нас произошла ошибка")]
)
def test_the_500_page_shows_a_reference_and_promises_nothing_about_money(breaking, db, prefix, title):
    answer = breaking(ZeroDivisionError()).get(prefix + "/pricing/")
    assert answer.status_code == 500
    assert heading(answer) == title
    assert answer["X-Request-ID"] in words(answer)
    assert "No money" not in words(answer)


@pytest.mark.parametrize("error", [Unavailable("busy"), OperationalError("busy")])
def test_a_busy_database_gives_503_with_retry_after(breaking, db, error):
    answer = breaking(error).get("/pricing/")
    assert answer.status_code == 503
    assert heading(answer) == "The site is busy"
    assert answer["Retry-After"]


def test_the_500_page_needs_no_database(breaking, client):
    """Without the `db` fixture any query fails this test."""
    assert breaking(ZeroDivisionError()).get("/pricing/").status_code == 500


def test_a_form_without_a_csrf_token_gets_its_own_page(alice, on_sale):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    answer = client.post("/checkout/standard/?currency=RUB", {"method": "sandbox"})
    assert answer.status_code == 403
    assert heading(answer) == "The form has expired"


def test_the_403_page_says_so_in_words(staff, client):
    client.force_login(staff)
    assert heading(client.get("/admin/ledger/account/")) == "You do not have access to this page"


def test_pages_run_only_our_own_scripts(client, on_sale):
    policy = client.get("/pricing/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    html = client.get("/pricing/").content.decode()
    assert "style=" not in html
    assert "<style" not in html
    assert html.count("<script") == html.count("<script src=") == 1


def test_an_error_page_says_where_to_write(client, db, settings):
    assert "mailto:" not in client.get("/nothing/").content.decode()
    settings.SELLER_EMAIL = "help@acme.example"
    page = client.get("/nothing/").content.decode().split("<main")[1].split("</main>")[0]
    assert 'href="mailto:help@acme.example"' in page
    assert page.count("data-copy=") == 1

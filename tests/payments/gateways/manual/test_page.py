import re
from datetime import timedelta

import pytest
import time_machine

from payments.gateways.manual import references
from tests.payments.gateways.requests import session_request


@pytest.fixture
def page(client, transfer):
    """Return a function that opens the transfer's page, in English by default."""

    def page(prefix=""):
        return client.get(f"{prefix}/transfer/{transfer.transfer_id}/")

    return page


def copied(html):
    return re.findall(r'data-copy="([^"]*)"', html)


def test_the_page_says_what_to_send_where_and_how(page, transfer):
    answer = page()
    html = answer.content.decode()
    assert answer.status_code == 200
    reference = references.written(transfer.reference)
    assert copied(html) == [reference, "1342.00", "ООО «Акме»", "40702810900000000001", "044525225"]
    assert "₽1,342.00" in html
    assert "Bank code (BIC)" in html
    assert 'href="https://shop.example/pay/1/"' in html
    assert "no-store" in answer["Cache-Control"]
    assert "style=" not in html


def test_the_russian_page_is_in_russian(page):
    html = page("/ru").content.decode()
    assert '<html lang="ru">' in html
    assert "Оплата банковским переводом" in html
    assert "Номер счёта" in html
    body = html.split("<main")[1].split("</main")[0]
    text = re.sub(r"<[^>]+>", " | ", body)
    assert re.findall(r"[A-Za-z]{2,} [A-Za-z]{2,}", text) == []


def test_a_part_that_has_arrived_is_shown_and_only_the_rest_is_asked_for(page, record):
    record(1000_00)
    html = page().content.decode()
    assert copied(html)[1] == "342.00"
    assert re.search(r"₽1,000\.00</span> of .*₽1,342\.00</span> has arrived", html)


def test_a_received_transfer_asks_for_nothing(page, record):
    record()
    answer = page()
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "Your transfer has arrived" in html
    assert copied(html) == []


def test_a_cancelled_transfer_asks_for_nothing(page, gateway, session):
    gateway.cancel(session.gateway_id)
    answer = page()
    assert answer.status_code == 410
    assert "This transfer was cancelled" in answer.content.decode()
    assert copied(answer.content.decode()) == []


def test_an_expired_transfer_asks_for_nothing(page, session):
    with time_machine.travel(session.expires_at + timedelta(seconds=1)):
        answer = page()
    assert answer.status_code == 410
    assert "This transfer has expired" in answer.content.decode()
    assert copied(answer.content.decode()) == []


def test_what_we_show_is_escaped(client, gateway, settings):
    settings.MANUAL_DETAILS = '{"beneficiary": "<b>Acme</b>", "<i>Cash desk</i>": "\\"10-18\\""}'
    session = gateway.create_session(session_request(language="en"))
    html = client.get(f"/transfer/{session.gateway_id}/").content.decode()
    assert "<b>Acme</b>" not in html
    assert "&lt;b&gt;Acme&lt;/b&gt;" in html
    assert "<i>Cash desk</i>" not in html
    assert 'data-copy="&quot;10-18&quot;"' in html


@pytest.mark.parametrize("transfer_id", ["mtr_none", "0", "x" * 300])
def test_an_unknown_transfer_is_not_found(client, db, transfer_id):
    assert client.get(f"/transfer/{transfer_id}/").status_code == 404


def test_the_page_takes_no_post(client, transfer):
    assert client.post(f"/transfer/{transfer.transfer_id}/").status_code == 405

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone, translation

from accounts.models import User
from payments import cancellation, checkout
from payments.gateways.sandbox import outcomes
from payments.gateways.sandbox.models import SandboxSession
from payments.models import Payment


@pytest.fixture
def payment(alice: User) -> Payment:
    return checkout.start(alice, now=timezone.now(), amount=1342_00, currency="RUB", description="For <b>hosting</b>")


def page_url(payment: Payment) -> str:
    return f"/sandbox/pay/{payment.gateway_id}/"


def test_the_page_shows_every_outcome_and_the_amount(client: Client, payment: Payment) -> None:
    answer = client.get(page_url(payment))
    html = answer.content.decode()
    assert answer.status_code == 200
    assert all(f'value="{code}"' in html for code in outcomes.ON_THE_PAGE)
    assert "1,342.00" in html
    assert "For &lt;b&gt;hosting&lt;/b&gt;" in html


def test_the_page_needs_no_script_and_has_a_strict_policy(client: Client, payment: Payment) -> None:
    answer = client.get(page_url(payment))
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "no-store" in answer["Cache-Control"]
    assert "style=" not in answer.content.decode()
    assert '<form method="post"' in answer.content.decode()


def test_the_page_is_in_the_language_the_payment_was_started_in(client: Client, alice: User) -> None:
    with translation.override("ru"):
        payment = checkout.start(alice, now=timezone.now(), amount=100_00, currency="RUB")
    html = client.get(page_url(payment)).content.decode()
    assert '<html lang="ru">' in html


def test_a_used_page_says_so_and_accepts_nothing_more(
    payment: Payment, choose: Callable[..., Any], client: Client
) -> None:
    choose(payment, "succeeds")
    for answer in (client.get(page_url(payment)), choose(payment, "insufficient_funds"), choose(payment, "cancel")):
        assert answer.status_code == 410
        assert "This page has been used" in answer.content.decode()
    session = SandboxSession.objects.get()
    assert (session.status, session.outcome, session.deliveries.count()) == ("succeeded", "succeeds", 1)


def test_an_expired_page_says_so(payment: Payment, choose: Callable[..., Any]) -> None:
    with time_machine.travel(payment.expires_at + timedelta(seconds=1), tick=False):
        answer = choose(payment, "succeeds")
    assert answer.status_code == 410
    assert "This page has expired" in answer.content.decode()
    assert SandboxSession.objects.get().status == "open"


def test_a_cancelled_payment_cannot_be_paid_any_more(payment: Payment, choose: Callable[..., Any]) -> None:
    cancellation.cancel(payment, now=timezone.now())
    assert choose(payment, "succeeds").status_code == 410
    assert SandboxSession.objects.get().amount_received is None


def test_the_browser_cannot_change_the_return_url(payment: Payment, client: Client, settings: Any) -> None:
    evil = {"outcome": "succeeds", "return_url": "https://evil.example/", "next": "//evil.example"}
    answer = client.post(page_url(payment) + "?return_url=https://evil.example/", evil)
    assert answer["Location"] == f"{settings.SITE_URL}/pay/{payment.public_id}/"


@pytest.mark.parametrize("outcome", ["", "approve", "nonsense", "succeeds\x00"])
def test_an_invalid_choice_shows_the_page_again(payment: Payment, choose: Callable[..., Any], outcome: str) -> None:
    assert choose(payment, outcome).status_code == 200
    assert SandboxSession.objects.get().status == "open"


def test_the_banks_page_works_only_if_the_bank_asks(
    payment: Payment, choose: Callable[..., Any], client: Client
) -> None:
    assert choose(payment, "approve", page="bank/").status_code == 410
    assert SandboxSession.objects.get().status == "open"
    choose(payment, "bank_asks")
    assert client.get(page_url(payment))["Location"] == page_url(payment) + "bank/"
    assert client.get(page_url(payment) + "bank/").status_code == 200


def test_a_form_without_a_csrf_token_is_refused(payment: Payment) -> None:
    answer = Client(enforce_csrf_checks=True).post(page_url(payment), {"outcome": "succeeds"})
    assert answer.status_code == 403
    assert SandboxSession.objects.get().status == "open"


@pytest.mark.parametrize("session_id", ["sbx_none", "0", "x" * 300])
def test_an_unknown_session_is_not_found(client: Client, db: None, session_id: str) -> None:
    assert client.get(f"/sandbox/pay/{session_id}/").status_code == 404


def test_without_the_sandbox_the_page_is_not_found(client: Client, payment: Payment, settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = []
    assert client.get(page_url(payment)).status_code == 404
    assert client.get(page_url(payment) + "bank/").status_code == 404

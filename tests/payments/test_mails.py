"""The mails about payments, as they are read in both languages."""

import pytest

from accounts.models import User
from payments import checkout, confirmation
from payments.gateways.sandbox import sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sandbox.outcomes import ON_THE_PAGE
from payments.models import Payment
from tests.letters import lines, told, words
from tests.subscriptions.bank import NOON, at


@pytest.fixture
def paid(alice: User) -> Payment:
    """Alice paid 500.00 roubles at 12:01 UTC of 1 March 2026, described as a customer may."""
    payment = checkout.start(alice, now=NOON, amount=500_00, currency="RUB", gateway="sandbox")
    assert payment.gateway_id is not None
    choice = ON_THE_PAGE["succeeds"]
    sessions.choose(payment.gateway_id, choice, expected=SandboxSession.Status.OPEN, now=at(minutes=1))
    return confirmation.confirm(payment.pk, now=at(minutes=1))


def test_a_receipt_in_english(paid, settings):
    settings.SELLER_NAME, settings.SELLER_ADDRESS = "Acme Ltd", "1 Example Street, London"
    letter = told("receipt", now=at(minutes=2))
    assert letter.subject == "Receipt: ₽500.00, Top-up"
    assert lines(letter) == [
        "Receipt: ₽500.00",
        "Thank you, alice. We received your payment on 1 March 2026.",
        "Top-up: ₽500.00",
        "Paid with: Test payment page",
        "Date: 1 March 2026, 12:01\u00a0UTC",
        "Your balance now: ₽500.00",
        f"Reference: {paid.public_id}",
        f"See the payment: http://127.0.0.1:8000/pay/{paid.public_id}/",
    ]
    assert letter.text.endswith("Choose which emails you get: http://127.0.0.1:8000/account/settings/\n"
                                "Acme Ltd, 1 Example Street, London\n")  # fmt: skip
    text = words(letter)
    assert "Receipt ₽500.00 ✓ Paid Thank you, alice. We received your payment on 1 March 2026." in text
    assert "Top-up ₽500.00 Paid with Test payment page Date 1 March 2026, 12:01\u00a0UTC" in text
    assert "Acme Ltd, 1 Example Street, London" in text
    assert letter.stop_url == ""
    assert "Stop emails" not in letter.html


def test_a_receipt_in_russian_and_in_the_customers_zone(paid, alice):
    User.objects.filter(pk=alice.pk).update(language="ru", time_zone="Asia/Vladivostok", first_name="Анна")
    letter = told("receipt", now=at(minutes=2))
    assert letter.subject == "Квитанция: 500,00\u00a0₽, Пополнение"
    # 12:01 UTC is 22:01 in Vladivostok, ten hours ahead.
    assert lines(letter) == [
        "Квитанция: 500,00\u00a0₽",
        "Спасибо, Анна. Мы получили ваш платёж 1 марта 2026\u00a0г.",
        "Пополнение: 500,00\u00a0₽",
        "Способ оплаты: Тестовая страница оплаты",
        "Дата: 1 марта 2026\u00a0г., 22:01\u00a0+10",
        "Баланс сейчас: 500,00\u00a0₽",
        f"Номер: {paid.public_id}",
        f"Посмотреть платёж: http://127.0.0.1:8000/ru/pay/{paid.public_id}/",
    ]
    assert 'lang="ru"' in letter.html
    assert "Спасибо, Анна." in words(letter)


def test_nothing_that_a_customer_typed_is_markup(paid, alice):
    User.objects.filter(pk=alice.pk).update(first_name='<b title="x">Eve</b>')
    Payment.objects.filter(pk=paid.pk).update(description="<script>alert(1)</script>\r\nBcc: eve@example.com")
    letter = told("receipt", now=at(minutes=2))
    assert "<script" not in letter.html
    assert "<b " not in letter.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in letter.html
    # A header is one line, and in plain text nothing is escaped.
    assert letter.subject == "Receipt: ₽500.00, <script>alert(1)</script> Bcc: eve@example.com"
    assert 'Thank you, <b title="x">Eve</b>.' in letter.text


def test_a_mail_loads_nothing_but_the_logo(paid, settings):
    assert "<img" not in told("receipt", now=at(minutes=2)).html
    settings.SELLER_LOGO_URL = "https://shop.example/logo.png"
    assert told("receipt", now=at(minutes=2)).html.count("<img") == 1

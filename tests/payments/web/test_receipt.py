"""The receipt of a payment as a page and as PDF: what it says, who sees it, and what it loads."""

import re
import zlib

import pytest
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.test import Client

from accounts import billing_details
from accounts.models import User
from core import pdf
from payments import checkout, confirmation, receipts
from payments.gateways.sandbox import sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sandbox.outcomes import ON_THE_PAGE
from payments.models import Payment
from tests.subscriptions.bank import NOON, at
from tests.subscriptions.shop import pay_in
from tests.web import words

# Who Alice is when she pays, and later.
THEN = {"first_name": "Анна Петрова", "company": "Petrova <b>Design</b>", "address": "12 Sample Lane", "tax_id": "DE1"}
LATER = {
    "first_name": "Anna Smith",
    "company": "",
    "address": "1 New Road",
    "tax_id": "GB2",
    "email": "new@example.com",
}


@pytest.fixture
def paid(alice: User) -> Payment:
    """Alice had 100.00 and paid 500.00 roubles at 12:01 UTC of 1 March 2026."""
    User.objects.filter(pk=alice.pk).update(**THEN)
    alice.refresh_from_db()
    pay_in(alice, 100_00, at=NOON)
    payment = checkout.start(alice, now=NOON, amount=500_00, currency="RUB", gateway="sandbox")
    assert payment.gateway_id is not None
    choice = ON_THE_PAGE["succeeds"]
    sessions.choose(payment.gateway_id, choice, expected=SandboxSession.Status.OPEN, now=at(minutes=1))
    return confirmation.confirm(payment.pk, now=at(minutes=1))


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def test_the_receipt_says_who_paid_what_to_whom(paid, alice, browser, settings):
    settings.SELLER_NAME, settings.SELLER_ADDRESS = "Acme Ltd", "1 Example Street, London"
    settings.SELLER_TAX_ID, settings.SELLER_TAX_LINE = "VAT GB000", "Prices include 20 % VAT."
    answer = browser.get(f"/pay/{paid.public_id}/receipt/")
    text = words(answer)
    receipt = receipts.receipt_of(paid)
    assert receipt is not None
    for part in (
        f"Receipt {receipt.number}", "Date 1 March 2026, 12:01\u00a0UTC", f"Reference {paid.public_id}",
        "Paid with Test payment page", "Acme Ltd 1 Example Street, London VAT GB000",
        "Анна Петрова Petrova <b>Design</b> 12 Sample Lane DE1 alice@example.com", "Top-up ₽500.00", "Total ₽500.00",
        "Prices include 20 % VAT.", "Your balance was ₽100.00 before this payment and ₽600.00 after it.",
    ):  # fmt: skip
        assert part in text, part
    assert "<b>Design" not in answer.content.decode()


def test_a_receipt_shows_who_the_customer_was_at_the_payment(paid, alice, browser):
    User.objects.filter(pk=alice.pk).update(**LATER)
    text = words(browser.get(f"/pay/{paid.public_id}/receipt/"))
    assert "Анна Петрова Petrova <b>Design</b> 12 Sample Lane DE1 alice@example.com" in text
    assert "Anna Smith" not in text
    assert "new@example.com" not in text


def test_who_paid_never_changes_once_the_payment_is_confirmed(paid):
    with pytest.raises(IntegrityError, match="Who has paid never changes"), transaction.atomic():
        Payment.objects.filter(pk=paid.pk).update(billed_to={})


def test_a_payment_that_did_not_keep_who_paid_shows_who_the_customer_is_now(paid, alice):
    paid.billed_to = {}
    paid.customer = alice
    receipt = receipts.receipt_of(paid)
    assert receipt is not None
    assert receipt.customer.name == "Анна Петрова"


def test_a_customer_without_a_name_is_called_by_their_username(alice):
    assert billing_details.current(alice) == billing_details.BillingDetails(
        name="alice", company="", address="", tax_id="", email="alice@example.com"
    )


def test_the_numbers_of_receipts_differ_and_stay(paid, alice):
    first = receipts.receipt_of(paid)
    assert first == receipts.receipt_of(Payment.objects.get(pk=paid.pk))
    assert first is not None
    assert first.number.startswith("R-")


def test_only_a_payment_that_was_confirmed_has_a_receipt_and_only_for_its_customer(alice, mallory, paid, browser):
    open_one = checkout.start(alice, now=at(hours=1), amount=700_00, currency="RUB", gateway="sandbox")
    stranger = Client()
    stranger.force_login(mallory)
    for end in ("receipt/", "receipt.pdf"):
        assert browser.get(f"/pay/{open_one.public_id}/{end}").status_code == 404
        assert stranger.get(f"/pay/{paid.public_id}/{end}").status_code == 404
        assert browser.get(f"/pay/{paid.public_id}/{end}").status_code == 200


def test_the_payment_links_to_its_receipt(paid, browser):
    assert f"/pay/{paid.public_id}/receipt/" in browser.get(f"/pay/{paid.public_id}/").content.decode()


@pytest.mark.pdf
@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_the_pdf_has_its_own_fonts(paid, browser, prefix):
    answer = browser.get(f"{prefix}/pay/{paid.public_id}/receipt.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="receipt-{paid.public_id}.pdf"'
    assert answer.content.startswith(b"%PDF-")
    # A stream may itself end with a byte that looks like a part of the line's end: its own end says what belongs to it.
    parts = re.findall(rb"stream\r?\n(\x78.*?)endstream", answer.content, re.DOTALL)
    content = b"".join(zlib.decompressobj().decompress(part) for part in parts)
    # Both faces of core/fonts, and no font of the operating system.
    assert set(re.findall(rb"/BaseFont /[A-Z]+\+([\w-]+)", content)) == {b"Document", b"Document-Bold"}


def test_without_pango_the_page_is_given(paid, browser, monkeypatch):
    def missing(name: str) -> object:
        raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setattr(pdf, "import_string", missing)
    answer = browser.get(f"/pay/{paid.public_id}/receipt.pdf")
    assert answer["Content-Type"].startswith("text/html")
    assert "Total ₽500.00" in words(answer)


@pytest.mark.pdf
def test_a_document_loads_nothing_from_elsewhere(tmp_path):
    secret = tmp_path / "secret.svg"
    secret.write_text('<svg xmlns="http://www.w3.org/2000/svg"><text>secret</text></svg>')
    with_picture = f'<img src="{secret.as_uri()}"><p>A'
    assert len(pdf.render(with_picture) or b"") == pytest.approx(len(pdf.render("<p>A") or b""), abs=200)


def test_the_printed_page_has_no_script_and_no_address(paid, alice):
    context = {"receipt": receipts.receipt_of(paid), "payment": paid, "customer": alice}
    html = render_to_string("payments/receipt_print.html", context)
    assert "<script" not in html
    assert "href=" not in html
    assert "src=" not in html

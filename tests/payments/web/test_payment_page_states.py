"""The states of a payment's page: each can be reached and says only what is certain."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template.loader import get_template

from payments.gateways.sessions import State
from payments.models import Payment, Refund
from payments.web.payment_page import APPEARANCES, PageState, page_state
from tests.web import heading, words

NOW = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)
TAKEN_NOTHING = "No money has been taken."
DO_NOT = "Do not pay again"


def payment_of(alice, **fields) -> Payment:
    row = {
        "customer": alice, "amount": 34_80, "currency": "EUR", "gateway": "sandbox", "description": "Standard",
        "confirmation_url": "http://testserver/sandbox/pay/x/", "created_at": NOW, "updated_at": NOW,
        "expires_at": NOW + timedelta(minutes=30),
    }  # fmt: skip
    return Payment(**row | fields)


def stored(alice, at, **fields) -> Payment:
    """Save a payment as pending, then update its fields: the database accepts only a pending new payment."""
    own = {"gateway": fields.pop("gateway", "sandbox")}
    payment = payment_of(alice, created_at=at, updated_at=at, expires_at=at + timedelta(hours=1), **own)
    payment.save()
    refunded = fields.pop("amount_refunded", 0)
    Payment.objects.filter(pk=payment.pk).update(**fields)
    if refunded:
        times = {"created_at": at, "updated_at": at}
        Refund.objects.create(payment=payment, amount=refunded, currency="EUR", gateway="sandbox", **times)
    return payment


RECEIVED = {"amount_received": 34_80, "received_currency": "EUR"}

# For each state the fields that lead to it, and the seconds since the last change.
EXAMPLES: dict[PageState, tuple[dict[str, Any], int]] = {
    PageState.UNOPENED: ({"confirmation_url": ""}, 0),
    PageState.CREATED: ({}, 0),
    PageState.ACTION: ({"gateway_state": "requires_action"}, 0),
    PageState.PROCESSING: ({"gateway_state": "processing"}, 30),
    PageState.LATE: ({"gateway_state": "processing"}, 61),
    PageState.PART_ARRIVED: ({"gateway": "manual", "gateway_state": "processing"}, 3600),
    PageState.CHECKING: ({"status": "unknown", "parked_reason": "sandbox took 1740 EUR"}, 0),
    PageState.CLOSING: ({"closing_at": NOW}, 0),
    PageState.SUCCEEDED: ({"status": "confirmed", "confirmed_at": NOW, **RECEIVED}, 0),
    PageState.PARTLY_REFUNDED: ({"status": "confirmed", "confirmed_at": NOW, **RECEIVED, "amount_refunded": 10_00}, 0),
    PageState.REFUNDED: ({"status": "confirmed", "confirmed_at": NOW, **RECEIVED, "amount_refunded": 34_80}, 0),
    PageState.FAILED: ({"status": "failed", "failure_code": "insufficient_funds"}, 0),
    PageState.REFUSED: ({"status": "failed", "failure_code": "gateway_refused"}, 0),
    PageState.CANCELLED: ({"status": "cancelled"}, 0),
    PageState.EXPIRED: ({"status": "expired"}, 0),
}


def test_every_status_and_gateway_state_has_a_page_state(alice):
    for status in Payment.Status:
        for state in ["", *State]:
            shown = page_state(payment_of(alice, status=status, gateway_state=state), now=NOW)
            assert APPEARANCES[shown].heading
            get_template(f"payments/states/{shown}.html")


@pytest.mark.parametrize("state", PageState)
def test_every_page_state_can_be_reached(alice, state):
    fields, seconds = EXAMPLES[state]
    assert page_state(payment_of(alice, **fields), now=NOW + timedelta(seconds=seconds)) is state


def test_an_unknown_payment_is_late_after_60_seconds(alice):
    unknown = payment_of(alice, status="unknown")
    assert page_state(unknown, now=NOW + timedelta(seconds=60)) is PageState.PROCESSING
    assert page_state(unknown, now=NOW + timedelta(seconds=61)) is PageState.LATE


def test_a_transfer_of_which_a_part_has_arrived_is_waited_for(browser, alice):
    page = browser.get(f"/pay/{stored(alice, NOW, gateway='manual', gateway_state='processing').public_id}/")
    assert heading(page) == "Part of your transfer has arrived"
    assert "Waiting for payment" in words(page)
    assert "seconds" not in words(page)
    assert 'href="http://testserver/sandbox/pay/x/">See what is missing<' in page.content.decode()


def test_an_open_transfer_says_where_the_details_are(browser, alice):
    page = browser.get(f"/pay/{stored(alice, datetime.now(UTC), gateway='manual').public_id}/")
    assert "Send the money by" in words(page)
    assert "The reference number and our bank details are on the page of the transfer." in words(page)
    assert 'href="http://testserver/sandbox/pay/x/">See the bank details<' in page.content.decode()


@pytest.fixture
def show(browser, alice):
    """Return a function that opens the page in a state. No gateway is called: the row holds its answer."""

    def show(state, *, prefix=""):
        fields, seconds = EXAMPLES[state]
        updated = datetime.now(UTC) - timedelta(seconds=seconds)
        payment = stored(alice, updated, **fields)
        return browser.get(f"{prefix}/pay/{payment.public_id}/")

    return show


@pytest.mark.parametrize("state", PageState)
def test_the_page_says_no_money_was_taken_only_if_the_gateway_said_so(show, state):
    certain = state in (PageState.FAILED, PageState.REFUSED, PageState.CANCELLED, PageState.EXPIRED)
    assert (TAKEN_NOTHING in words(show(state))) is certain


@pytest.mark.parametrize("state", PageState)
def test_an_uncertain_payment_says_not_to_pay_again_and_offers_no_payment(show, state):
    answer = show(state)
    uncertain = state in (PageState.LATE, PageState.CHECKING)
    assert (DO_NOT in words(answer)) is uncertain
    offers = ("/checkout/", "/topup/", "/sandbox/pay/")
    if uncertain or state in (PageState.PROCESSING, PageState.CLOSING):
        main = answer.content.decode().split("<main")[1]
        assert not any(offer in main for offer in offers)


@pytest.mark.parametrize("state", PageState)
def test_the_page_polls_only_while_the_state_can_change(show, browser, state):
    answer = show(state)
    assert (b"data-poll=" in answer.content) is APPEARANCES[state].moves
    fragment = browser.get(answer.request["PATH_INFO"] + "status/")
    assert fragment["X-Payment-Over"] == ("no" if APPEARANCES[state].moves else "yes")
    assert fragment["X-Payment-Status"] == Payment.objects.get().status
    assert "no-store" in fragment["Cache-Control"]
    assert heading(fragment) == heading(answer)
    assert b"<html" not in fragment.content


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("insufficient_funds", "There was not enough money on the card."),
        ("expired_card", "The card has expired."),
        # A code that would help a thief is shown as any other refusal.
        ("stolen_card", "Your bank declined the payment. Try another card, or ask your bank."),
        ("fraudulent", "Your bank declined the payment. Try another card, or ask your bank."),
    ],
)
def test_the_reason_of_a_decline_is_shown_as_a_text(browser, alice, code, text):
    payment = stored(alice, NOW, status="failed", failure_code=code)
    page = browser.get(f"/pay/{payment.public_id}/")
    assert text in words(page)
    assert code not in page.content.decode()


def test_customers_do_not_see_why_a_payment_is_parked(show):
    assert "1740" not in words(show(PageState.CHECKING))


def test_another_customers_payment_is_not_found(client, mallory, alice):
    payment = payment_of(alice)
    payment.save()
    client.force_login(mallory)
    for part in ("", "status/"):
        assert client.get(f"/pay/{payment.public_id}/{part}").status_code == 404
    for part in ("cancel/", "open/"):
        assert client.post(f"/pay/{payment.public_id}/{part}").status_code == 404


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (PageState.CREATED, "Waiting for payment"),
        (PageState.ACTION, "Waiting for payment"),
        (PageState.PROCESSING, "Checking the payment"),
        (PageState.CHECKING, "Checking the payment"),
        (PageState.SUCCEEDED, "Paid"),
        (PageState.FAILED, "Not paid"),
    ],
)
def test_the_second_step_says_what_has_become_of_the_money(show, state, step):
    steps = show(state).content.decode().split('<ol class="steps">')[1].split("</ol>")[0]
    assert f"<p>{step}</p>" in steps


@pytest.mark.parametrize("state", [PageState.FAILED, PageState.REFUSED, PageState.CANCELLED, PageState.EXPIRED])
def test_a_top_up_that_failed_is_never_said_to_have_topped_up(show, state):
    page = words(show(state))
    assert "Balance not topped up" in page
    assert "Balance topped up" not in page

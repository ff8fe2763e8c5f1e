"""A payment's page has a face for everything a payment can be, and says only what is so."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template.loader import get_template

from payments.gateways.base import State
from payments.models import Payment
from payments.web.payment_page import LOOKS, Face, face_of
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
    """Save it as every payment begins, then as it has become: the database lets nothing begin otherwise."""
    payment = payment_of(alice, created_at=at, updated_at=at, expires_at=at + timedelta(hours=1))
    payment.save()
    Payment.objects.filter(pk=payment.pk).update(**fields)
    return payment


# face -> the fields that lead to it, and how long after the last change it is looked at.
WAYS: dict[Face, tuple[dict[str, Any], int]] = {
    Face.UNOPENED: ({"confirmation_url": ""}, 0),
    Face.CREATED: ({}, 0),
    Face.ACTION: ({"gateway_state": "requires_action"}, 0),
    Face.PROCESSING: ({"gateway_state": "processing"}, 30),
    Face.LATE: ({"gateway_state": "processing"}, 61),
    Face.CHECKING: ({"status": "unknown", "parked_reason": "sandbox took 1740 EUR"}, 0),
    Face.SUCCEEDED: ({"status": "confirmed", "confirmed_at": NOW}, 0),
    Face.PARTLY_REFUNDED: ({"status": "confirmed", "confirmed_at": NOW, "amount_refunded": 10_00}, 0),
    Face.REFUNDED: ({"status": "confirmed", "confirmed_at": NOW, "amount_refunded": 34_80}, 0),
    Face.FAILED: ({"status": "failed", "failure_code": "insufficient_funds"}, 0),
    Face.REFUSED: ({"status": "failed", "failure_code": "gateway_refused"}, 0),
    Face.CANCELLED: ({"status": "cancelled"}, 0),
    Face.EXPIRED: ({"status": "expired"}, 0),
}


def test_every_status_and_every_state_of_a_gateway_has_a_face(alice):
    for status in Payment.Status:
        for state in ["", *State]:
            found = face_of(payment_of(alice, status=status, gateway_state=state), now=NOW)
            assert LOOKS[found].heading
            get_template(f"payments/faces/{found}.html")


@pytest.mark.parametrize("face", Face)
def test_every_face_is_reached(alice, face):
    fields, seconds = WAYS[face]
    assert face_of(payment_of(alice, **fields), now=NOW + timedelta(seconds=seconds)) is face


def test_a_gateway_that_says_nothing_usable_is_waited_for(alice):
    unknown = payment_of(alice, status="unknown")
    assert face_of(unknown, now=NOW + timedelta(seconds=60)) is Face.PROCESSING
    assert face_of(unknown, now=NOW + timedelta(seconds=61)) is Face.LATE


@pytest.fixture
def see(browser, alice):
    """Show the page of a stored payment with a face, asking no gateway: what it would say is in the row."""

    def see(face, *, prefix=""):
        fields, seconds = WAYS[face]
        updated = datetime.now(UTC) - timedelta(seconds=seconds)
        payment = stored(alice, updated, **fields)
        return browser.get(f"{prefix}/pay/{payment.public_id}/")

    return see


@pytest.mark.parametrize("face", Face)
def test_no_money_was_taken_is_said_only_where_the_gateway_said_so(see, face):
    certain = face in (Face.FAILED, Face.REFUSED, Face.CANCELLED, Face.EXPIRED)
    assert (TAKEN_NOTHING in words(see(face))) is certain


@pytest.mark.parametrize("face", Face)
def test_do_not_pay_again_is_said_where_nobody_knows_and_no_way_to_pay_is_offered(see, face):
    answer = see(face)
    uncertain = face in (Face.LATE, Face.CHECKING)
    assert (DO_NOT in words(answer)) is uncertain
    offers = ("/checkout/", "/topup/", "/sandbox/pay/")
    if uncertain or face is Face.PROCESSING:
        main = answer.content.decode().split("<main")[1]
        assert not any(offer in main for offer in offers)


@pytest.mark.parametrize("face", Face)
def test_only_what_may_still_move_is_polled_and_the_fragment_tells_when_it_is_over(see, browser, face):
    answer = see(face)
    assert (b"data-poll=" in answer.content) is LOOKS[face].moves
    fragment = browser.get(answer.request["PATH_INFO"] + "status/")
    assert fragment["X-Payment-Over"] == ("no" if LOOKS[face].moves else "yes")
    assert fragment["X-Payment-Status"] == Payment.objects.get().status
    assert "no-store" in fragment["Cache-Control"]
    assert heading(fragment) == heading(answer)
    assert b"<html" not in fragment.content


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("insufficient_funds", "There was not enough money on the card."),
        ("expired_card", "The card has expired."),
        # What would help a thief reads as any other refusal.
        ("stolen_card", "The bank declined the payment. Try another card, or ask your bank."),
        ("fraudulent", "The bank declined the payment. Try another card, or ask your bank."),
    ],
)
def test_the_reason_of_a_decline_is_put_in_words(browser, alice, code, said):
    payment = stored(alice, NOW, status="failed", failure_code=code)
    page = browser.get(f"/pay/{payment.public_id}/")
    assert said in words(page)
    assert code not in page.content.decode()


def test_staffs_words_about_a_parked_payment_stay_with_staff(see):
    assert "1740" not in words(see(Face.CHECKING))


def test_the_payment_of_another_is_not_there(client, mallory, alice):
    payment = payment_of(alice)
    payment.save()
    client.force_login(mallory)
    for part in ("", "status/"):
        assert client.get(f"/pay/{payment.public_id}/{part}").status_code == 404
    for part in ("cancel/", "open/"):
        assert client.post(f"/pay/{payment.public_id}/{part}").status_code == 404

from datetime import UTC, datetime

import pytest
from django.test import Client

from payments import methods
from payments.collection import consents
from payments.gateways.methods import Method
from payments.gateways.sandbox.models import SandboxMethod, SandboxSession
from payments.models import PaymentMethod
from tests.web import words


@pytest.fixture
def method(alice, now):
    """Alice's card, which the sandbox keeps."""
    times = {"created_at": now, "expires_at": now}
    session = SandboxSession.objects.create(idempotency_key="k", amount=1, currency="RUB", **times)
    kept = SandboxMethod.objects.create(
        session=session, brand="Visa", last4="4242", expires_on=datetime(2030, 2, 28, tzinfo=UTC)
    )
    details = Method(gateway_id=kept.method_id, brand="Visa", last4="4242", expires_on=kept.expires_on)
    return methods.save(alice, "sandbox", details, now=now)


def test_without_a_saved_card_there_is_no_list(browser, alice):
    assert "Remove" not in words(browser.get("/account/"))


def test_a_saved_card_is_listed_and_removed(browser, method):
    assert "Visa •••• 4242 Valid until 02/2030 Remove" in words(browser.get("/account/"))
    address = f"/account/payment-methods/{method.public_id}/remove/"
    answer = browser.post(address)
    assert (answer.status_code, answer["Location"]) == (303, "/account/")
    page = words(browser.get("/account/"))
    assert "Visa •••• 4242 is removed. We cannot charge it any more." in page
    assert "Valid until" not in page
    assert not SandboxMethod.objects.get().is_kept
    # A second press changes nothing.
    assert browser.post(address).status_code == 303


def test_the_card_that_pays_automatically_is_marked_and_its_removal_says_so(browser, method, now):
    assert "Pays automatically" not in words(browser.get("/account/"))
    consents.agree_to_renewals(method, address=None, now=now)
    assert "Visa •••• 4242 Pays automatically Valid until 02/2030 Remove" in words(browser.get("/account/"))
    page = browser.post(f"/account/payment-methods/{method.public_id}/remove/", follow=True)
    assert "Your automatic payments used it. Choose another one under Automatic payments." in words(page)


def test_the_list_is_in_russian_too(browser, method):
    page = words(browser.get("/ru/account/"))
    assert "Сохранённые карты и счета" in page
    assert "Удалить" in page


def test_a_link_removes_nothing(browser, method):
    assert browser.get(f"/account/payment-methods/{method.public_id}/remove/").status_code == 405
    assert PaymentMethod.objects.get().removed_at is None


def test_a_card_of_somebody_else_is_not_found(method, mallory):
    client = Client()
    client.force_login(mallory)
    assert client.post(f"/account/payment-methods/{method.public_id}/remove/").status_code == 404
    assert client.post("/account/payment-methods/pm_none/remove/").status_code == 404
    assert "Visa" not in words(client.get("/account/"))
    assert PaymentMethod.objects.get().removed_at is None


def test_who_is_not_logged_in_removes_nothing(method):
    answer = Client().post(f"/account/payment-methods/{method.public_id}/remove/")
    assert answer.status_code == 302
    assert PaymentMethod.objects.get().removed_at is None

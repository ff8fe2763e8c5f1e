"""The pages around money that comes by itself: saved methods, automatic payments, and the rule for top-ups."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.models import User
from core.ids import new_id
from payments.collection import consents, top_ups
from payments.models import AutoTopUp, Collection, Consent, PaymentMethod
from tests.subscriptions.shop import wallet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

ACCOUNT, PAGE = "/account/", "/account/automatic-payments/"
RULE = f"{PAGE}top-up/?currency=RUB"


def card(owner: User, last4: str, **fields: Any) -> PaymentMethod:
    known = {"gateway": "sandbox", "gateway_id": new_id("sbm"), "brand": "Visa", "created_at": datetime.now(UTC)}
    return PaymentMethod.objects.create(customer=owner, last4=last4, **known | fields)


def declined_once(customer: User, now: datetime) -> Collection:
    """A renewal of tomorrow whose first charge was declined."""
    return Collection.objects.create(
        customer=customer, wallet=wallet(customer, "RUB"), currency="RUB", kind="renewal", cause="renewal:1",
        due_at=now + timedelta(days=1), amount=990_00, declines=1, declined_at=now, next_at=now + timedelta(days=1),
        created_at=now, updated_at=now,
    )  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_pages_are_accessible_and_fit_the_screen(visit: Any, alice: User, site: str, prefix: str) -> None:
    """Without a saved method, with methods before and after the consent, and with a rule that was stopped."""
    now, window = datetime.now(UTC), visit(alice)
    faults = []

    def look(*addresses: str) -> None:
        for address in addresses:
            window.to(prefix + address)
            faults.extend(window.faults())

    look(PAGE, RULE)
    used = card(alice, "4242")
    card(alice, "0002", refused_at=now, refused_code="stolen_card")
    card(alice, "0069", expires_on=now - timedelta(days=40))
    look(ACCOUNT, PAGE, RULE)
    consents.agree_to_renewals(used, address=None, now=now)
    rule = top_ups.turn_on(used, "RUB", threshold=500_00, amount=1000_00, cap=2000_00, address=None, now=now)
    declined_once(alice, now)
    look(ACCOUNT, PAGE, RULE)
    top_ups.stop(rule, "burst", now=now)
    PaymentMethod.objects.filter(pk=used.pk).update(refused_at=now)
    look(PAGE)
    assert faults == []
    assert (window.console, window.elsewhere) == ([], [])


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_a_customer_agrees_sets_up_a_rule_and_withdraws(visit: Any, alice: User, site: str, script: bool) -> None:
    card(alice, "4242")
    window = visit(alice, width=390, java_script_enabled=script)
    page = window.to(PAGE)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("When your balance is too low for a renewal, we charge Visa •••• 4242.")).to_be_visible()
    page.get_by_role("link", name="Set up").click()
    page = window.to(RULE)
    page.get_by_label("When the balance falls below").fill("500")
    page.get_by_label("Top up by").fill("10")
    page.get_by_label("Monthly limit").fill("2000")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("link", name="The amount must be from ₽100.00")).to_be_visible()
    page.get_by_label("Top up by").fill("1000")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("Automatic top-ups are on.")).to_be_visible()
    assert AutoTopUp.objects.get().amount == 1000_00
    for _ in range(2):
        page.get_by_role("button", name="Turn off").first.click()
    expect(page.get_by_text("Nothing is charged without you.")).to_be_visible()
    expect(page.get_by_text("Your balance is topped up only when you do it.")).to_be_visible()
    assert not Consent.objects.filter(withdrawn_at=None).exists()


def test_a_customer_removes_a_saved_card(visit: Any, alice: User, site: str) -> None:
    saved = card(alice, "4242")
    window = visit(alice, width=320)
    page = window.to(ACCOUNT)
    page.get_by_text("Visa •••• 4242").first.wait_for()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Visa •••• 4242 is removed.")).to_be_visible()
    saved.refresh_from_db()
    assert saved.removed_at is not None


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_the_settings_keep_the_chosen_mails_and_zone(visit: Any, alice: User, site: str, prefix: str) -> None:
    window = visit(alice, width=390)
    page = window.to(f"{prefix}/account/settings/")
    page.locator("#mails ~ form input[value=changes]").uncheck()
    page.locator("#mails ~ form button").click()
    expect(page.locator("#mails ~ form input[value=changes]")).not_to_be_checked()
    page.locator("select[name=time_zone]").select_option("Europe/Moscow")
    page.locator("#look ~ form button").click()
    expect(page.locator("select[name=time_zone]")).to_have_value("Europe/Moscow")
    alice.refresh_from_db()
    assert (alice.mails_off, alice.time_zone) == (["changes"], "Europe/Moscow")
    assert (window.faults(), window.console) == ([], [])

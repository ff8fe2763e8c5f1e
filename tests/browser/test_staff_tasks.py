"""The everyday tasks of staff, each by a role that does it: from the search box to the message that it is done.

Each takes at most four clicks, the button of the search included. What is typed or chosen in a field is none.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Locator

from accounts.models import User
from events.models import Mail, StaffAct
from ledger.models import Account
from ledger.money import Money
from payments import adjustments, checkout
from payments.gateways.manual.models import ManualReceipt
from payments.models import Adjustment, Payment, Refund
from subscriptions import books, catalogue, orders
from subscriptions.models import Subscription
from tests.browser.visit import Visit
from tests.payments.staff_rows import pay
from tests.staff import member
from tests.subscriptions.shop import pay_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

MOST = 4


class Desk:
    """A member of staff at the desk, whose clicks are counted."""

    def __init__(self, window: Visit) -> None:
        self.window, self.page, self.clicks = window, window.page, 0

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def find(self, term: str) -> None:
        """Type into the search box and press its button."""
        self.window.to("/admin/")
        self.clicks = 0
        self.page.get_by_label("Find a customer, payment or subscription").fill(term)
        self.click(self.page.locator(".desk-search button"))

    def open(self, name: str) -> None:
        """Press the link with this name, which says what it is about if there are several."""
        self.click(self.page.locator("#main, #content").get_by_role("link", name=name, exact=True).first)

    def fill(self, **fields: str) -> None:
        """Fill in the form: `new_plan="standard"` is the field `New plan`."""
        for label, value in fields.items():
            field = self.page.get_by_label(label.replace("_", " "), exact=False).first
            field.select_option(value) if field.evaluate("each => each.tagName") == "SELECT" else field.fill(value)

    def act(self, name: str, **fields: str) -> str:
        """Open an act, fill in its form, look at what changes, confirm, and return what is said."""
        self.open(name)
        self.fill(**({"Reason": "Asked by phone"} | fields))
        self.click(self.page.get_by_role("button", name="Continue"))
        # Either of them: the click does not wait for the page that it leads to.
        self.page.locator("table.before-after, .errorlist").first.wait_for()
        assert self.page.locator(".errorlist").all_inner_texts() == []
        self.click(self.page.get_by_role("button", name="Confirm"))
        said = self.page.locator(".messagelist .success").inner_text()
        assert self.clicks <= MOST
        assert self.window.console == []
        return said


@pytest.fixture
def desk(visit: Any) -> Any:
    """Return a function that puts a member of staff with a role at the desk."""
    return lambda role: Desk(visit(member(role), width=1366))


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def basic(alice: User, site: str, now: datetime) -> Subscription:
    """Alice's Basic, 299.00 a month, with 4701.00 left."""
    pay_in(alice, 5000_00, at=now)
    return orders.subscribe(alice, catalogue.current("basic", "RUB"), now=now)


@pytest.fixture
def transfers(settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = ["manual"]
    settings.MANUAL_DETAILS = json.dumps({"beneficiary": "Acme Ltd", "account": "40702810900000000001"})


def balance(customer: User) -> int:
    return Account.objects.get(owner=customer, kind=Account.Kind.WALLET, currency="RUB").balance or 0


def test_support_refund_half_of_a_payment(desk: Any, alice: User, site: str, now: datetime) -> None:
    payment = pay(alice, 1000_00, now=now)
    at = desk("support")
    at.find(alice.email)
    assert "succeeded" in at.act(f"Refund: {payment.public_id}", Amount="500")
    assert list(Refund.objects.values_list("amount", "status")) == [(500_00, "succeeded")]
    assert balance(alice) == 500_00


def test_support_give_500_for_an_outage(desk: Any, alice: User, site: str, now: datetime) -> None:
    pay_in(alice, 100_00, at=now)
    at = desk("support")
    at.find("alice")
    at.act("Credit", Amount="500", Reason="For the outage")
    assert balance(alice) == 600_00


def test_support_cancel_a_plan_with_a_refund(desk: Any, alice: User, basic: Subscription) -> None:
    at = desk("support")
    at.find(alice.email)
    at.act("Cancel the subscription: Basic", When="refund")
    basic.refresh_from_db()
    assert basic.status == "cancelled"
    # A second or more of the month is used; all but a rouble at most comes back.
    assert 4999_00 <= balance(alice) <= 5000_00


def test_support_change_a_plan(desk: Any, alice: User, basic: Subscription) -> None:
    at = desk("support")
    at.find("alice")
    at.act("Change the plan: Basic", New_plan="standard", When="now")
    basic.refresh_from_db()
    assert basic.price.plan.code == "standard"


def test_finance_record_a_bank_transfer(desk: Any, alice: User, transfers: None, site: str, now: datetime) -> None:
    checkout.start(alice, now=now, amount=1342_00, currency="RUB", gateway="manual")
    at = desk("finance")
    at.find(alice.email)
    payment = Payment.objects.get()
    at.act(
        f"Record money: {payment.public_id}", Amount="1342", Received_on=now.date().isoformat(), Bank_reference="B-7",
        Reason="",
    )  # fmt: skip
    payment.refresh_from_db()
    assert (payment.status, balance(alice)) == ("confirmed", 1342_00)
    assert ManualReceipt.objects.get().bank_reference == "B-7"


def test_finance_find_a_transfer_by_the_number_on_the_statement(
    desk: Any, alice: User, transfers: None, site: str, now: datetime
) -> None:
    payment = checkout.start(alice, now=now, amount=1342_00, currency="RUB", gateway="manual")
    at = desk("finance")
    at.find(payment.gateway_id or "")
    at.act("Record money", Amount="1342", Received_on=now.date().isoformat(), Bank_reference="B-7", Reason="")
    assert balance(alice) == 1342_00


def test_finance_write_off_a_debt(desk: Any, alice: User, basic: Subscription, now: datetime) -> None:
    with books.open(alice, "RUB", now=now) as book:
        book.lose_dispute(6000_00, key="tasks:dispute")
    owed = -(Account.objects.get(owner=alice, kind=Account.Kind.DEBT).balance or 0)
    assert owed > 0
    at = desk("finance")
    at.find(alice.email)
    at.act("Write off a debt", Amount=Money(owed, "RUB").plain())
    assert Account.objects.get(owner=alice, kind=Account.Kind.DEBT).balance == 0


def test_support_block_and_unblock(desk: Any, alice: User, site: str) -> None:
    at = desk("support")
    for name, is_active in (("Block", False), ("Unblock", True)):
        at.find(alice.email)
        at.act(name)
        alice.refresh_from_db()
        assert alice.is_active is is_active


def test_support_change_an_address_and_reset_a_second_factor(desk: Any, alice: User, site: str) -> None:
    Authenticator.objects.create(user=alice, type=Authenticator.Type.TOTP, data={"secret": "x"})
    at = desk("support")
    at.find("alice")
    at.act("Change email address", New_email_address="new@example.com")
    alice.refresh_from_db()
    assert alice.email == "new@example.com"
    at.find("new@example.com")
    at.act("Reset second factor")
    assert not Authenticator.objects.filter(user=alice).exists()


@pytest.mark.parametrize(("name", "status"), [("Accept as top-up", "confirmed"), ("Send back", "cancelled")])
def test_finance_decide_a_parked_payment(
    desk: Any, alice: User, site: str, now: datetime, name: str, status: str
) -> None:
    parked = pay(alice, 700_00, "wrong_amount", now=now)
    at = desk("finance")
    at.find(alice.email)
    at.act(f"{name}: {parked.public_id}")
    parked.refresh_from_db()
    assert parked.status == status


def test_finance_approve_what_support_asked_for(desk: Any, alice: User, site: str, now: datetime) -> None:
    asked = adjustments.ask(
        alice, kind=Adjustment.Kind.CREDIT, money=Money(50_000_00, "RUB"), reason="Outage", author=member("support"),
        idempotency_key=None, now=now,
    )  # fmt: skip
    at = desk("finance")
    at.find(asked.public_id)
    at.act("Approve")
    assert balance(alice) == 50_000_00


def test_support_pause_and_resume(desk: Any, alice: User, site: str, now: datetime) -> None:
    pay_in(alice, 5000_00, at=now)
    row = orders.subscribe(alice, catalogue.current("hourly", "RUB"), now=now)
    at = desk("support")
    for name, status in (("Pause", "paused"), ("Resume", "active")):
        at.find(alice.email)
        at.act(f"{name}: {row.price.plan.title}")
        row.refresh_from_db()
        assert row.status == status


def test_support_undo_a_cancellation(desk: Any, alice: User, basic: Subscription) -> None:
    at = desk("support")
    at.find(alice.email)
    at.act("Cancel the subscription: Basic", When="period_end")
    at.find(alice.email)
    at.act("Undo the cancellation: Basic")
    basic.refresh_from_db()
    assert (basic.status, basic.cancel_requested) == ("active", False)


def test_support_extend_a_period(desk: Any, alice: User, basic: Subscription) -> None:
    before = basic.period_end
    assert before is not None
    at = desk("support")
    at.find(alice.email)
    at.act("Give days for free: Basic", Days="5")
    basic.refresh_from_db()
    assert basic.period_end == before + timedelta(days=5)


def test_support_start_a_plan(desk: Any, alice: User, basic: Subscription) -> None:
    at = desk("support")
    at.find(alice.email)
    at.act("Start a plan", Plan=str(catalogue.current("premium", "RUB").pk))
    assert Subscription.objects.filter(customer=alice).count() == 2


def test_support_start_a_trial(desk: Any, alice: User, site: str) -> None:
    price = catalogue.current("premium", "RUB")
    assert price.trial_days
    at = desk("support")
    at.find(alice.email)
    at.act("Start a plan", Plan=str(price.pk))
    assert Subscription.objects.get(customer=alice).status == "trialing"


def test_the_catalogue_team_give_a_plan_a_new_price(desk: Any, alice: User, basic: Subscription) -> None:
    at = desk("catalogue")
    at.find("basic")
    at.act("New version: RUB", Amount="349")
    new = catalogue.current("basic", "RUB")
    basic.refresh_from_db()
    assert (new.amount, new.version, basic.price.amount) == (349_00, 2, 299_00)


def test_support_send_a_mail_again(desk: Any, alice: User, site: str, now: datetime) -> None:
    mail = Mail.objects.create(
        customer=alice, kind="receipt", cause="1", subject="Your receipt", address=alice.email, created_at=now,
        due_at=None, park_at=now, state=Mail.State.SENT, sent_at=now,
    )  # fmt: skip
    at = desk("support")
    at.find(alice.email)
    at.act("Send again: Email: Your receipt")
    mail.refresh_from_db()
    assert mail.resends == 1


@pytest.mark.parametrize("role", ["finance", "auditor"])
def test_the_accountant_gets_the_transactions_of_last_month(
    desk: Any, alice: User, site: str, now: datetime, role: str
) -> None:
    last_month = now.replace(day=1) - timedelta(days=1)
    pay_in(alice, 123_45, at=last_month)
    at = desk(role)
    at.window.to("/admin/")
    at.open("Exports")
    with at.page.expect_download() as started:
        at.click(at.page.get_by_role("button", name="Download CSV"))
    text = started.value.path().read_text("utf-8")
    assert f"transactions-{last_month:%Y-%m}-01-" in started.value.suggested_filename
    assert "123.45" in text
    assert text.splitlines()[-1].startswith("Total")
    assert at.clicks <= MOST
    assert StaffAct.objects.get().kind == "view.export"

"""Each status of a payment, a refund and a subscription has its own words on every page that shows it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from payments import checkout
from payments.models import Payment, Refund
from payments.web.payment_page import PageState
from subscriptions import catalogue, orders
from subscriptions.models import Subscription
from subscriptions.models.subscription import FINAL
from tests.payments.web.test_payment_page_states import EXAMPLES, RECEIVED, stored
from tests.subscriptions.shop import pay_in
from tests.web import words

Status = Subscription.Status

# What the overview says of a payment of 34.80 in each state; the payments in other states are over.
WAITING = {
    PageState.UNOPENED: "Your payment of €34.80 (Standard) is not finished.",
    PageState.CREATED: "Your payment of €34.80 (Standard) is not finished.",
    PageState.ACTION: "Your payment of €34.80 (Standard) is not finished.",
    PageState.PROCESSING: "Your payment of €34.80 (Standard) is being processed. It has not reached your balance yet.",
    PageState.LATE: "The bank has not answered about your payment of €34.80 (Standard) yet.",
    PageState.PART_ARRIVED: "Part of your transfer of €34.80 (Standard) has arrived.",
    PageState.CHECKING: "We are checking your payment of €34.80 (Standard), because the bank's answer does not match "
    "the order. Your money is not lost: we will credit it or send it back. Do not pay again.",
}


@pytest.mark.parametrize("state", PageState)
def test_the_overview_says_what_an_open_payment_waits_for(browser, alice, state):
    fields, seconds = EXAMPLES[state]
    stored(alice, datetime.now(UTC) - timedelta(seconds=seconds), **fields)
    page = words(browser.get("/account/"))
    assert [text for text in sorted(set(WAITING.values())) if text in page] == [
        text for each, text in WAITING.items() if each is state
    ]
    assert words(browser.get("/ru/account/")) != page


def test_a_payment_that_is_being_checked_is_shown_even_if_nobody_wanted_it_any_more(browser, alice):
    fields, _ = EXAMPLES[PageState.CHECKING]
    now = datetime.now(UTC)
    stored(alice, now, **fields, closing_at=now)
    assert "We are checking your payment of €34.80" in words(browser.get("/account/"))


def test_a_payment_that_is_being_checked_names_the_address_to_write_to(browser, alice, settings):
    settings.SELLER_EMAIL = "help@acme.example"
    fields, _ = EXAMPLES[PageState.CHECKING]
    payment = stored(alice, datetime.now(UTC), **fields)
    assert "give the reference below. help@acme.example" in words(browser.get(f"/pay/{payment.public_id}/"))


def test_money_that_is_sent_back_is_said_to_be_on_its_way(browser, alice):
    fields, _ = EXAMPLES[PageState.CHECKING]
    payment = stored(alice, datetime.now(UTC), **fields, **RECEIVED, amount_refunded=34_80)
    assert (
        "Your payment of €34.80 (Standard) did not match the order. We are sending €34.80 back to the card or account "
        "you paid from."
    ) in words(browser.get("/account/"))
    assert "we are sending €34.80 back" in words(browser.get(f"/pay/{payment.public_id}/"))


def test_a_payment_that_is_being_checked_does_not_ask_to_pay_again(browser, alice, now):
    """The order of Standard is unpaid, but its money may be here."""
    checkout.start(alice, now=now, plan="standard", currency="RUB", gateway="sandbox")
    Payment.objects.update(status="unknown", parked_reason="took 1 EUR")
    page = words(browser.get("/account/"))
    assert "Standard is unpaid" not in page
    assert "Do not pay again." in page


REFUNDS = {
    "pending": "We are refunding €10.00 to the card or account you paid from.",
    "succeeded": "We have refunded €10.00 to the card or account you paid from.",
    "failed": "",
}


@pytest.mark.parametrize("status", Refund.Status)
def test_a_refund_is_said_to_be_done_only_if_it_is(browser, alice, status):
    fields, _ = EXAMPLES[PageState.PARTLY_REFUNDED]
    payment = stored(alice, datetime.now(UTC), **fields)
    Refund.objects.update(status=status)
    page = words(browser.get(f"/pay/{payment.public_id}/"))
    assert [text for text in set(REFUNDS.values()) - {""} if text in page] == [REFUNDS[status]] * bool(REFUNDS[status])


DAY = timedelta(days=1)
MONTH = timedelta(days=31)


class Held(NamedTuple):
    """How a subscription comes to its status, and what pages say of it."""

    plan: str
    # What is paid in when it is ordered, in kopecks, and how long ago that was.
    paid: int
    age: timedelta
    tag: str
    # How the sentence on the overview and on its page begins.
    next_: str
    # The third step of its payment's page, if the payment has arrived and if it has not.
    step: str
    step_unpaid: str
    do: Callable[[Any, Subscription], None] | None = None


HELD = {
    Status.PENDING: Held(
        "standard", 0, DAY, "Waiting for payment", "Not paid yet. It starts when you pay ₽690.00.", "Plan start",
        "Plan not started",
    ),
    Status.TRIALING: Held(
        "premium", 0, DAY, "Free trial", "Free until", "Plan active", "Plan active",
    ),
    Status.ACTIVE: Held("standard", 690_00, DAY, "Active", "Renews on", "Plan active", "Plan active"),
    Status.PAST_DUE: Held(
        "standard", 690_00, MONTH + DAY, "Payment overdue", "Your balance was too low to renew. You keep access until",
        "Plan active", "Plan active",
    ),
    # Standard has 3 days of grace.
    Status.SUSPENDED: Held(
        "standard", 690_00, MONTH + 4 * DAY, "Suspended", "Your balance was too low. Pay ₽", "Plan suspended",
        "Plan suspended",
    ),
    Status.PAUSED: Held(
        "hourly", 500_00, DAY, "Paused", "Paused. Nothing is charged.", "Plan paused", "Plan paused",
        lambda book, row: book.pause(row),
    ),
    Status.CANCELLED: Held(
        "standard", 690_00, DAY, "Cancelled", "Ended on", "Plan ended", "Plan ended",
        lambda book, row: book.end(row, refund_unused=False),
    ),
    Status.EXPIRED: Held(
        "standard", 0, MONTH, "Ended", "Not paid, so it never started. Closed on", "Plan not started",
        "Plan not started",
    ),
}  # fmt: skip


@pytest.fixture
def held(alice, on_sale, status) -> Subscription:
    """A subscription in this status, which is worked out by the pages alone: no billing run has happened."""
    kind, now = HELD[status], datetime.now(UTC)
    if kind.paid:
        pay_in(alice, kind.paid, at=now - kind.age)
    row = orders.subscribe(alice, catalogue.current(kind.plan, "RUB"), now=now - kind.age)
    if (do := kind.do) is not None:
        orders.change(row, now=now, act=lambda book: do(book, row))
    return row


@pytest.mark.parametrize("status", Status)
def test_a_subscription_is_called_by_its_status_everywhere(browser, held, status):
    kind = HELD[status]
    own = words(browser.get(f"/account/subscriptions/{held.public_id}/"))
    overview = words(browser.get("/account/"))
    title = held.price.plan.name
    assert f"{title} {kind.tag}" in own
    assert kind.next_ in own
    assert kind.next_ in overview
    # Ended ones are listed by name and sentence only.
    assert (f"{title} {kind.tag}" in overview) is (status not in FINAL)
    others = {each.tag for each in HELD.values()} - {kind.tag}
    assert [tag for tag in others if f"{title} {tag}" in own + overview] == []


@pytest.mark.parametrize("status", Status)
def test_the_page_of_a_payment_says_what_has_become_of_its_subscription(browser, alice, held, status):
    kind, now = HELD[status], datetime.now(UTC)
    paid = stored(alice, now, status="confirmed", confirmed_at=now, **RECEIVED, subscription=held)
    failed = stored(alice, now, status="failed", failure_code="insufficient_funds", subscription=held)
    for payment, step in ((paid, kind.step), (failed, kind.step_unpaid)):
        steps = browser.get(f"/pay/{payment.public_id}/").content.decode().split('<ol class="steps">')[1]
        assert re.findall("<p>(.*?)</p>", steps.split("</ol>")[0])[2] == step


@pytest.mark.parametrize("plan", ["standard", "premium"])
def test_a_cancelled_plan_says_when_it_ends_and_not_that_it_is_active(browser, alice, on_sale, now, plan):
    pay_in(alice, 690_00, at=now)
    row = orders.subscribe(alice, catalogue.current(plan, "RUB"), now=now)
    orders.change(row, now=now, act=lambda book: book.cancel(row))
    for page in (browser.get("/account/"), browser.get(f"/account/subscriptions/{row.public_id}/")):
        assert re.search(rf"{row.price.plan.name} Ends \d", words(page))
        assert "You cancelled it. You keep it until" in words(page)
        assert "Active" not in words(page)

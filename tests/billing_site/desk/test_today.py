"""The first page of the desk: counts of what waits, each with its list, and the health of the books."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing_site.desk import backlog, clearing
from core.models import LedgerCheck
from events.models import Mail
from payments.models import Adjustment, Discrepancy, Dispute, Payment, Refund, WebhookEvent
from subscriptions.models import BillingClock
from tests.payments import staff_rows
from tests.staff import member

pytestmark = pytest.mark.django_db

LINK = re.compile(r'<a class="wait [a-z]*" href="([^"]+)"><b>(\d+\+?)</b> <span>([^<]+)</span> <span[^>]*>([^<]*)')


@pytest.fixture(autouse=True)
def _forget_ageing() -> None:
    cache.delete(clearing.KEY)


def browser(role: str) -> Client:
    client = Client()
    client.force_login(member(role))
    return client


def tiles(client: Client) -> dict[str, tuple[str, str, str]]:
    """Return count, address and note of what waits, by name."""
    page = client.get("/admin/").content.decode()
    return {unescape(name): (count, unescape(href), note) for href, count, name, note in LINK.findall(page)}


def webhook(number: int, status: str, **fields: Any) -> WebhookEvent:
    now = timezone.now()
    return WebhookEvent.objects.create(
        gateway="sandbox", event_id=f"evt_{number}", type="x", gateway_id="x", payload={}, status=status,
        received_at=now, **fields,
    )  # fmt: skip


@pytest.fixture
def waiting(alice, staff) -> dict[str, int]:
    """Rows of each kind that wait, and others of the same tables that do not; the primary keys of the first."""
    now = timezone.now()
    made = staff_rows.make(alice, staff, now=now)
    parked = staff_rows.pay(alice, 700_00, "wrong_amount", now=now)
    failed, slow = (
        Refund.objects.create(
            payment=made["payment"], amount=1_00, currency="RUB", gateway="sandbox", created_at=at, updated_at=at
        )
        for at in (now, now - timedelta(days=2))
    )
    Refund.objects.filter(pk=failed.pk).update(status="failed")
    Dispute.objects.filter(pk=made["dispute"].pk).update(answer_by=now + timedelta(days=3))
    Dispute.objects.filter(pk=made["dispute"].pk).update(parked_reason="It raised")
    clock = BillingClock.objects.get(customer=alice)
    BillingClock.objects.filter(pk=clock.pk).update(parked_at=now, parked_reason="It raised")
    webhook(1, "processed")
    mail = Mail.objects.create(
        customer=alice, kind="login", cause="1", state="parked", created_at=now, park_at=now, reason="No server"
    )
    [discrepancy] = Discrepancy.objects.filter(is_mended=False)
    return {
        "Disputes to answer": made["dispute"].pk,
        "Adjustments to approve": Adjustment.objects.get(status="waiting").pk,
        "Parked payments": parked.pk,
        "Parked disputes": made["dispute"].pk,
        "Failed refunds, last 30 days": failed.pk,
        "Refunds without an answer for a day": slow.pk,
        "Discrepancies with gateways": discrepancy.pk,
        "Parked books": clock.pk,
        "Parked webhook events": webhook(2, "parked").pk,
        "Webhooks that fail": webhook(3, "received", tries=2, next_try_at=now).pk,
        "Parked emails": mail.pk,
    }


def test_each_number_leads_to_a_list_of_just_these_rows(waiting):
    root = browser("auditor")
    shown = tiles(root)
    assert {name for name, (count, _, _) in shown.items() if count != "0"} == set(waiting)
    for name, pk in waiting.items():
        count, address, _ = shown[name]
        answer = root.get(address)
        assert answer.status_code == 200, (name, address)
        assert count == "1"
        assert [row.pk for row in answer.context["cl"].result_list] == [pk], name


def test_adjustments_to_approve_are_one_click_from_their_list(waiting):
    finance, auditor = browser("finance"), browser("auditor")
    _, address, _ = tiles(finance)["Adjustments to approve"]
    pk = waiting["Adjustments to approve"]
    review = f"/admin/payments/adjustment/{pk}/approve/"
    assert f'href="{review}"' in finance.get(address).content.decode()
    assert finance.get(review).status_code == 200
    assert review not in auditor.get(address).content.decode()


def test_every_number_leads_to_a_list_even_if_nothing_waits():
    root = browser("auditor")
    shown = tiles(root)
    assert len(shown) == len(backlog.waiting(now=timezone.now()))
    for count, address, note in shown.values():
        assert root.get(address).status_code == 200, address
        assert (count, note) == ("0", "nothing waits")


def test_an_overdue_book_is_counted_and_listed(alice, settings):
    now = timezone.now()
    staff_rows.pay(alice, 100_00, now=now)
    late = now - settings.BILLING_MAX_CATCH_UP - timedelta(minutes=1)
    BillingClock.objects.filter(customer=alice).update(due_at=late)
    root = browser("auditor")
    count, address, _ = tiles(root)["Overdue books"]
    assert count == "1"
    assert [row.customer_id for row in root.get(address).context["cl"].result_list] == [alice.pk]


def test_the_nearest_date_of_a_dispute_is_named(waiting):
    answer_by = Dispute.objects.get().answer_by
    note = tiles(browser("finance"))["Disputes to answer"][2]
    assert answer_by is not None
    assert note == f"answer by {timezone.localtime(answer_by).day} {answer_by:%B %Y}"


def test_a_role_sees_only_what_it_may_view(waiting):
    developer, support, catalogue = (browser(role) for role in ("developer", "support", "catalogue"))
    assert "Discrepancies with gateways" in tiles(developer)
    seen = tiles(support)
    assert "Parked payments" in seen
    assert "Discrepancies with gateways" not in seen
    assert "Parked webhook events" not in seen
    assert set(tiles(catalogue)) == {"Parked books", "Overdue books"}
    page = support.get("/admin/").content.decode()
    assert "Ledger health" not in page
    assert "Gateway clearing" not in page
    assert "Ledger health" in developer.get("/admin/").content.decode()


def test_more_than_a_thousand_are_not_counted(monkeypatch):
    monkeypatch.setattr(backlog, "MOST", 2)
    for number in range(4):
        webhook(number, "parked")
    assert tiles(browser("developer"))["Parked webhook events"][0] == "2+"


@pytest.mark.parametrize(
    ("fields", "hours", "text"),
    [
        ({"wrong": 0}, 2, "In order"),
        ({"wrong": 3}, 2, "Something is wrong"),
        ({"wrong": 0, "error": "OperationalError"}, 2, "The check failed"),
        ({"wrong": 0}, 60, "Not checked lately"),
    ],
)
def test_health_is_that_of_the_last_check(fields, hours, text):
    developer = browser("developer")
    assert "Not checked yet" in developer.get("/admin/").content.decode()
    at = timezone.now() - timedelta(hours=hours)
    made = LedgerCheck.objects.create(started_at=at, seconds=1, checks=40, **fields)
    page = developer.get("/admin/").content.decode()
    assert f"{text}</span>" in page
    assert f'href="/admin/core/ledgercheck/{made.pk}/change/"' in page


def test_the_page_takes_few_queries_however_much_waits(waiting):
    client = browser("auditor")
    client.get("/admin/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/admin/")
    for number in range(10, 30):
        webhook(number, "parked")
    with CaptureQueriesContext(connection) as many:
        client.get("/admin/")
    assert len(many) == len(few) <= 12


def test_tables_are_listed_below(waiting):
    page = browser("support").get("/admin/").content.decode()
    assert page.index("What waits") < page.rindex('/admin/payments/payment/"')
    assert Payment.objects.exists()

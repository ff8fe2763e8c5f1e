"""The page of one customer: what each role sees of it, what staff may do, the timeline, and the customer's own page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from billing_site.desk import timeline
from events.models import Mail, StaffAct, UnreachableAddress
from ledger.models import Transaction
from payments.models import PaymentMethod, WebhookEvent
from subscriptions import books
from subscriptions.models import Plan
from tests.payments import staff_rows
from tests.staff import GROUPS, member
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def browser(client: Client) -> Callable[[str], Client]:
    """Return the browser of a member of staff with a role."""

    def of(role: str) -> Client:
        client.force_login(member(role))
        return client

    return of


def page(customer: User, **query: str) -> str:
    return f"/admin/customers/{customer.pk}/" + ("?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else "")


def lines(answer: Any) -> list[timeline.Line]:
    found: list[timeline.Line] = answer.context["timeline"].lines
    return found


def metered(customer: User, *, hours: int) -> None:
    """Let a server run on the wallet, charged each hour."""
    price = sell("server", RUB=1_00, interval="hour", metered=True)["RUB"]
    Plan.objects.filter(code="server").update(name_ru="Сервер")
    pay_in(customer, 10_000_00, at=START)
    with books.open(customer, "RUB", now=START) as book:
        book.subscribe(price)
    for hour in range(1, hours + 1):
        with books.open(customer, "RUB", now=START + timedelta(hours=hour)):
            pass


def everything(customer: User, staff: User) -> dict[str, Any]:
    """Give a customer at least one row of each kind."""
    now = timezone.now()
    made = staff_rows.make(customer, staff, now=now)
    metered_price = sell("server", RUB=1_00, interval="hour", metered=True)["RUB"]
    with books.open(customer, "RUB", now=now) as book:
        book.subscribe(metered_price)
    PaymentMethod.objects.create(
        customer=customer, gateway="sandbox", gateway_id="card_1", brand="Visa", last4="4242", created_at=now
    )
    UnreachableAddress.objects.create(address=customer.email.lower(), reason="mailbox full", bounced_at=now)
    Mail.objects.create(
        customer=customer, kind="receipt", cause="1", subject="Your receipt", created_at=now, due_at=now,
        park_at=now + DAY,
    )  # fmt: skip
    WebhookEvent.objects.create(
        gateway="sandbox", event_id="e1", type="payment.done", gateway_id=made["payment"].gateway_id, payload={},
        received_at=now,
    )  # fmt: skip
    StaffAct.objects.create(
        key="k1", kind="payment.refund", author=staff, customer=customer, title="Refund", subject="pay", reason="Asked"
    )
    return made


def test_support_see_all_about_a_customer_on_one_page(browser, alice: User, superuser: User):
    made = everything(alice, superuser)
    answer = browser("support").get(page(alice))
    text = answer.content.decode()
    for shown in (
        alice.email, "Visa •••• 4242", "mailbox full", made["dispute"].public_id, made["collection"].public_id,
        made["payment"].public_id, "Server", "Refund", "Asked", "Your receipt", "₽",
    ):  # fmt: skip
        assert shown in text, shown
    assert {line.kind for line in lines(answer)} >= {
        "payment", "refund", "dispute", "transaction", "event", "mail", "staff",
    }  # fmt: skip


def test_webhooks_about_payments_are_shown_to_those_who_may_view_webhooks(browser, alice: User, superuser: User):
    everything(alice, superuser)
    desk = browser("developer")
    assert [line.text for line in lines(desk.get(page(alice, kind="webhooks")))] == ["Webhook payment.done"]
    desk.force_login(member("support"))
    assert lines(desk.get(page(alice, kind="webhooks"))) == []


def test_each_line_leads_to_a_page(browser, alice: User, superuser: User):
    everything(alice, superuser)
    client = browser("developer")
    for line in lines(client.get(page(alice))):
        assert client.get(line.href).status_code == 200, line


@pytest.mark.parametrize("role", GROUPS)
def test_a_role_sees_only_what_it_may_view(browser, alice: User, superuser: User, role: str):
    everything(alice, superuser)
    answer = browser(role).get(page(alice))
    assert answer.status_code == (403 if role == "catalogue" else 200)
    if answer.status_code == 200:
        shown = b"See what the customer sees" in answer.content
        assert shown == ("accounts.view_as_user" in GROUPS[role])


def test_acts_are_shown_to_whom_may_do_them(browser, alice: User):
    payment = staff_rows.pay(alice, 500_00, now=timezone.now())
    refund = f"/admin/payments/payment/{payment.pk}/refund/".encode()
    client = browser("support")
    assert refund in client.get(page(alice)).content
    client.force_login(member("auditor"))
    assert refund not in client.get(page(alice)).content


def test_acts_on_the_customer_are_shown_as_soon_as_the_admin_has_them(browser, alice: User, monkeypatch):
    monkeypatch.setattr(
        "billing_site.admin.CustomerAdmin.links", lambda self, request, row: [("Credit", f"/credit/{row.pk}/")],
        raising=False,
    )  # fmt: skip
    assert f'href="/credit/{alice.pk}/"'.encode() in browser("support").get(page(alice)).content


def test_the_page_takes_the_same_few_queries_whatever_there_is(
    browser, alice: User, superuser: User, settings, django_assert_max_num_queries: Any
):
    settings.STAFF_SECOND_FACTOR = False
    everything(alice, superuser)
    for _ in range(5):
        staff_rows.pay(alice, 500_00, now=timezone.now())
    for number in range(5):
        pay_in(alice, 100_00, at=timezone.now())
        outbox_line(alice, number)
    client = browser("support")
    with django_assert_max_num_queries(12):
        assert client.get(page(alice)).status_code == 200


def outbox_line(customer: User, number: int) -> None:
    Mail.objects.create(
        customer=customer, kind="login", cause=f"m{number}", created_at=START, due_at=START, park_at=START
    )


def test_charges_are_folded_by_day_and_plan(browser, alice: User):
    metered(alice, hours=30)
    folded = [line for line in lines(browser("support").get(page(alice, kind="money"))) if line.kind == "charge"]
    entries = Transaction.objects.filter(reason="charge", customer=alice)
    assert entries.count() > 20
    by_day = sorted({entry.effective_at.date() for entry in entries}, reverse=True)
    assert [line.at.date() for line in folded] == by_day
    assert {line.text for line in folded} == {"Server"}
    sums = [sum(e.amount for e in entries if e.effective_at.date() == day) for day in by_day]
    assert [line.amount for line in folded] == [f"−₽{amount / 100:.2f}" for amount in sums]
    assert "charges of this day" in folded[-1].note


def test_days_are_those_of_the_reader(browser, alice: User):
    metered(alice, hours=30)
    client = browser("support")
    User.objects.filter(username="support").update(time_zone="Pacific/Auckland")
    zone = User.objects.get(username="support").zone
    folded = [line for line in lines(client.get(page(alice, kind="money"))) if line.kind == "charge"]
    days = {entry.effective_at.astimezone(zone).date() for entry in Transaction.objects.filter(reason="charge")}
    assert [line.at.astimezone(zone).date() for line in folded] == sorted(days, reverse=True)


def test_the_pages_of_the_timeline_have_each_line_once(browser, alice: User):
    for number in range(120):
        pay_in(alice, 100, at=START + timedelta(hours=number // 3))
        outbox_line(alice, number)
    client, seen, before = browser("support"), [], ""
    for size in (50, 50):
        answer = client.get(page(alice, kind="money", before=before))
        assert len(lines(answer)) == size
        seen += lines(answer)
        before = answer.context["timeline"].older
    answer = client.get(page(alice, kind="money", before=before))
    seen += lines(answer)
    assert answer.context["timeline"].older == ""
    assert len(seen) == 120 == len({line.href for line in seen})
    assert [line.at for line in seen] == sorted((line.at for line in seen), reverse=True)


def test_a_day_that_was_folded_is_not_folded_again_on_the_next_page(browser, alice: User):
    metered(alice, hours=5)
    for number in range(49):
        pay_in(alice, 100, at=START + DAY + timedelta(hours=number))
    for number in range(10):
        pay_in(alice, 100, at=START + 4 * DAY + timedelta(hours=number))
    client = browser("support")
    first = client.get(page(alice, kind="money"))
    second = client.get(page(alice, kind="money", before=first.context["timeline"].older))
    charges = [line for line in lines(first) + lines(second) if line.kind == "charge"]
    assert len({line.at.date() for line in charges}) == len(charges)
    assert sum(line.href.count("changelist") >= 0 for line in charges) == len(charges)
    assert not {line.cursor for line in lines(first)} & {line.cursor for line in lines(second)}


@pytest.mark.parametrize(
    "before", ["x", "1", "1.2", "0.0.0", "9" * 18 + ".99." + "9" * 18, "-1.1.1", "%00", "1.1.1'--", "٣.1.1"]
)
def test_a_cursor_that_is_none_breaks_nothing(browser, alice: User, before: str):
    pay_in(alice, 100)
    assert browser("support").get(page(alice, before=before)).status_code == 200


def test_a_kind_that_is_none_shows_all(browser, alice: User):
    pay_in(alice, 100)
    assert lines(browser("support").get(page(alice, kind="nonsense")))


def test_nothing_of_another_customer_is_shown(browser, alice: User, mallory: User, superuser: User):
    everything(mallory, superuser)
    answer = browser("developer").get(page(alice))
    assert lines(answer) == []
    assert mallory.username not in answer.content.decode()


def test_names_are_shown_as_text(browser, alice: User):
    User.objects.filter(pk=alice.pk).update(first_name="<script>alert(1)</script>", last_name="W" * 150)
    text = browser("support").get(page(alice)).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; " + "W" * 150 in text


def test_a_blocked_customer_is_named_so(browser, disabled: User):
    assert b"Blocked" in browser("support").get(page(disabled)).content


def test_there_is_no_page_of_nobody(browser):
    assert browser("support").get("/admin/customers/987654321/").status_code == 404


def test_lists_and_the_page_of_fields_lead_to_it(browser, alice: User, superuser: User):
    everything(alice, superuser)
    client, link = browser("support"), f'href="/admin/customers/{alice.pk}/"'.encode()
    for address in (
        "/admin/accounts/user/", "/admin/payments/payment/", "/admin/payments/refund/", "/admin/payments/dispute/",
        "/admin/subscriptions/subscription/", "/admin/ledger/transaction/", "/admin/ledger/account/",
        "/admin/events/event/", "/admin/events/mail/", "/admin/events/staffact/",
        f"/admin/accounts/user/{alice.pk}/change/",
    ):  # fmt: skip
        assert link in client.get(address).content, address


def test_support_see_what_the_customer_sees_and_it_is_recorded(browser, alice: User):
    User.objects.filter(pk=alice.pk).update(language="ru")
    pay_in(alice, 690_00)
    client = browser("support")
    answer = client.get(page(alice) + "account/", headers={"x-forwarded-for": "198.51.100.7"})
    text = answer.content.decode()
    assert 'lang="ru"' in text
    assert "690,00" in text
    assert "as the customer sees it" in text
    assert "<div inert>" in text
    assert "form-action 'none'" in answer["Content-Security-Policy"]
    act = StaffAct.objects.get()
    assert (act.kind, act.customer, act.author.username) == ("view.account", alice, "support")
    # The reader is still who they were.
    assert client.get("/admin/").context["user"].username == "support"


def test_the_view_of_the_account_takes_no_orders(browser, alice: User):
    assert browser("support").post(page(alice) + "account/").status_code == 405
    assert not StaffAct.objects.exists()


@pytest.mark.parametrize("role", ["finance", "catalogue", "developer", "auditor"])
def test_other_roles_do_not_see_what_the_customer_sees(browser, alice: User, role: str):
    assert browser(role).get(page(alice) + "account/").status_code == 403
    assert not StaffAct.objects.exists()


def test_the_desk_speaks_the_language_of_its_reader(browser, alice: User, superuser: User):
    made = everything(alice, superuser)
    client = browser("support")
    User.objects.filter(username="support").update(language="ru")
    text = client.get(page(alice)).content.decode()
    for shown in ('lang="ru"', "Подписка заказана", "Платежи", "подтверждён", "Почта"):
        assert shown in text, shown
    listed = client.get("/admin/payments/payment/").content.decode()
    assert "Почему отложено" in listed
    assert f"/admin/payments/payment/{made['payment'].pk}/change/" in listed


def test_what_happened_is_said_in_words(browser, alice: User, superuser: User):
    everything(alice, superuser)
    texts = {line.text for line in lines(browser("developer").get(page(alice, kind="events")))}
    assert {"Payment confirmed", "Subscription started", "Dispute opened", "Refund succeeded"} <= texts
    assert not [text for text in texts if "." in text or "_" in text]


def test_acts_that_wait_for_a_second_person_lead_to_their_reviews(browser, alice: User, superuser: User, settings):
    settings.STAFF_CREDIT_LIMIT = {"RUB": 5000}
    made = staff_rows.make(alice, superuser, now=timezone.now())
    pk = made["adjustment"].pk
    text = browser("finance").get(page(alice)).content.decode()
    assert "1 act waits for a second person" in text
    assert "asked for by root" in text
    for act in ("approve", "decline"):
        assert f'href="/admin/payments/adjustment/{pk}/{act}/"' in text
    assert "withdraw" not in text
    # Support may ask, and a developer only looks.
    for role in ("support", "developer"):
        text = browser(role).get(page(alice)).content.decode()
        assert "1 act waits for a second person" in text
        assert f"/admin/payments/adjustment/{pk}/approve/" not in text


def test_who_asked_may_only_withdraw_from_the_customers_page(client: Client, alice: User, superuser: User):
    pk = staff_rows.make(alice, superuser, now=timezone.now())["adjustment"].pk
    client.force_login(superuser)
    text = client.get(page(alice)).content.decode()
    assert f"/admin/payments/adjustment/{pk}/withdraw/" in text
    assert f"/admin/payments/adjustment/{pk}/approve/" not in text


def test_nothing_that_waits_is_not_mentioned(browser, alice: User):
    assert "second person" not in browser("finance").get(page(alice)).content.decode()

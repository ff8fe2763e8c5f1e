"""Every URL has a row in policy.py, and each caller gets the answer in that row."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse

from accounts import mail_choices, tokens
from accounts.models import BrowserSession, User
from billing_site.demo import plans
from ledger.models import Transaction
from payments import checkout, setups
from payments.collection import top_ups
from payments.gateways.manual import transfers
from payments.models import PaymentMethod
from subscriptions import books, catalogue, orders, quotes
from tests.billing_site.policy import API, CALLERS, GROUPS, ROWS, TABLES, Answer, Row
from tests.payments import staff_rows
from tests.payments.gateways.requests import session_request

# Admin views of a single row need the permission of the list (history) or of adding (change, delete).
OF_ONE_ROW = ("history", "delete", "change", "password_change")


def addresses(patterns: Any = None, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name with its namespace (empty for none) and the route of each URL pattern."""
    each: Any
    for each in patterns if patterns is not None else get_resolver().url_patterns:
        route = prefix + str(each.pattern)
        if hasattr(each, "url_patterns"):
            inner = f"{each.namespace}:" if each.namespace else space
            yield from addresses(each.url_patterns, route, inner)
        else:
            yield (f"{space}{each.name}" if each.name else ""), route


def covered(name: str, route: str) -> bool:
    """Return whether the policy has a row for this URL, or for the table or list that it belongs to."""
    if name in ROWS or name == "admin:view_on_site":
        return True
    table, _, view = name.removeprefix("admin:").rpartition("_")
    if view in OF_ONE_ROW or name == "admin:auth_user_password_change":
        return table in TABLES or name == "admin:auth_user_password_change"
    # Without a name: the catch-all patterns of /api/ and /admin/, and the admin's old URLs of a row.
    return not name and (route.startswith(("^api", "admin/(?P<url>")) or route.endswith("<path:object_id>/"))


def test_every_url_has_a_row():
    assert [(name, route) for name, route in addresses() if not covered(name, route)] == []


def test_every_row_has_a_url():
    assert set(ROWS) - {name for name, _ in addresses()} == set()


def test_the_versioned_api_has_the_same_urls_as_the_plain_one():
    routes = {route for _, route in addresses() if route.startswith("api/")}
    pinned = {route.replace("api/v1/", "api/") for route in routes if route.startswith("api/v1/")}
    assert pinned == {route for route in routes if not route.startswith("api/v1/")}


def test_every_admin_table_is_in_the_policy():
    assert {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry} == set(TABLES)


@pytest.fixture
def people(alice, mallory, disabled, staff, superuser) -> dict[str, User | None]:
    support = User.objects.create(username="support", email="support@example.com", is_staff=True)
    group = Group.objects.create(name="read-only")
    ours = ("core", "accounts", "events", "ledger", "subscriptions", "payments", "manual", "stripe")
    group.permissions.set(Permission.objects.filter(content_type__app_label__in=ours, codename__startswith="view_"))
    support.groups.add(group)
    return dict(zip(CALLERS, (None, disabled, alice, mallory, staff, support, superuser), strict=True))


@pytest.fixture
def things(alice, staff) -> dict[str, object]:
    """Create one object for each parameter of a URL, all of them Alice's."""
    now = datetime.now(UTC)
    plans.put_on_sale(now=now)
    with books.open(alice, "RUB", now=now) as book:
        book.top_up(1000_00, key="policy:1", source="gateway_clearing:sandbox")
    subscription = orders.subscribe(alice, catalogue.current("basic", "RUB"), now=now)
    payment = checkout.start(alice, now=now, amount=500_00, currency="RUB", gateway="sandbox")
    line = Transaction.objects.latest("id").pk
    acted_on = staff_rows.make(alice, staff, now=now)
    method = PaymentMethod.objects.create(customer=alice, gateway="sandbox", gateway_id="card_1", created_at=now)
    setup = setups.start(alice, "sandbox", now=now)
    numbers = {"threshold": 100_00, "amount": 500_00, "cap": 5000_00}
    rule = top_ups.turn_on(method, "RUB", address=None, now=now, **numbers)
    return {
        "alice": alice.pk,
        "plan_pk": subscription.price.plan_id,
        "app": "payments",
        "browser": BrowserSession.objects.create(
            user=alice,
            session_key="of-another-browser",
            address="192.0.2.1",
            token_version=alice.token_version,
            created_at=now,
            last_seen_at=now,
        ).pk,
        "clock_pk": subscription.wallet_id,
        "consent": rule.consent.public_id,
        "error": "not_found",
        "export": "transactions",
        "gateway": "sandbox",
        "key": "no-such-key",
        "mail": 0,
        "method": method.public_id,
        "payment": payment.public_id,
        "payment_pk": payment.pk,
        "plan": "basic",
        "price": subscription.price_id,
        "quote": quotes.make(subscription, catalogue.current("standard", "RUB"), now=now).public_id,
        "rule": rule.public_id,
        "session": payment.gateway_id,
        "setup": setup.public_id,
        "setup_pk": setup.pk,
        "stop_token": mail_choices.stop_url(alice, mail_choices.MailCategory.REMINDERS).split("/")[-2],
        "subscription": subscription.public_id,
        "subscription_pk": subscription.pk,
        "transaction": line,
        "transfer": transfers.open_for(session_request(), now=now).transfer_id,
        "transfer_pk": acted_on["transfer"].pk,
        **{
            f"{name}_pk": acted_on[name].pk
            for name in ("refund", "dispute", "discrepancy", "receipt", "manual_refund", "collection", "adjustment")
        },
    }


def call(name: str, row: Row, caller: User | None, things: dict[str, object]) -> Any:
    """Make the request as `caller`, and roll back what it did."""
    path = reverse(name, kwargs={part: things[thing] for part, thing in row.address.items()})
    client, headers = Client(raise_request_exception=False), {}
    with transaction.atomic():
        if name in API and caller is not None:
            headers["authorization"] = "Bearer " + tokens.issue(caller, now=datetime.now(UTC)).access
        elif caller is not None:
            client.force_login(caller)
        body, kind = ("{}", "application/json") if name in API else ("", "application/x-www-form-urlencoded")
        response = client.generic(row.method, path, body, content_type=kind, headers=headers)
        transaction.set_rollback(True)
    return response


def answer_of(response: Any) -> Answer:
    """Return which answer of the policy a response is."""
    where = response.get("location", "")
    if response.status_code == 401 or (response.status_code == 302 and where.startswith(("/login/", "/admin/login/"))):
        return Answer.LOGIN
    known = {403: Answer.FORBIDDEN, 404: Answer.NOT_FOUND}
    assert response.status_code < 500, response.content[:500]
    return known.get(response.status_code, Answer.OK)


@pytest.mark.parametrize("group", GROUPS)
def test_each_caller_gets_the_answer_of_the_policy(group, people, things):
    wrong = {
        f"{name} for {caller}": f"{answer} instead of {row.who[caller]}"
        for name, row in GROUPS[group].items()
        for caller, user in people.items()
        if (answer := answer_of(call(name, row, user, things))) != row.who[caller]
    }
    assert wrong == {}


def test_a_strangers_object_and_a_missing_one_give_the_same_response(people, things):
    """The bodies are compared too, because a difference would reveal which ids exist."""
    for name, row in ROWS.items():
        if not row.address or row.who["mallory"] is not Answer.NOT_FOUND:
            continue
        thing = next(iter(row.address.values()))
        absent = {**things, thing: 10**9 if isinstance(things[thing], int) else str(things[thing])[:-4] + "0000"}
        existing, missing = (call(name, row, people["mallory"], ids) for ids in (things, absent))
        assert existing.status_code == missing.status_code == 404, name
        ids = [str(each[thing]).encode() for each in (things, absent)]
        assert stripped(existing, *ids) == stripped(missing, *ids), name


def stripped(response: Any, *ids: bytes) -> bytes:
    """Return the body without what differs in any two responses: the object's id, the request id, the CSRF token."""
    body: bytes = response.content.replace(response.get("X-Request-Id", "-").encode(), b"")
    body = re.sub(rb'(name="csrfmiddlewaretoken" value=")\w+', rb"\1", body)
    for each in ids:
        body = body.replace(each, b"")
    return body

"""The search box: finds by name, id or digits what a role may view, and survives whatever is typed."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from ledger.models import Transaction
from payments import refunds
from payments.models import Payment, PaymentMethod
from subscriptions.models import Plan
from tests.payments import staff_rows
from tests.staff import member
from tests.subscriptions.shop import pay_in, row, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(member("support"))
    return client


@pytest.fixture
def paid(alice: User) -> Payment:
    return staff_rows.pay(alice, 1000_00, now=timezone.now())


def find(browser: Client, term: str) -> Any:
    return browser.get("/admin/search/", {"q": term})


def found(answer: Any) -> list[str]:
    """Return the names of what is listed."""
    return [str(hit.row) for group in answer.context["groups"] for hit in group.hits]


def change(model: str, pk: int) -> str:
    return f"/admin/{model.replace('.', '/')}/{pk}/change/"


def person(username: str, **fields: str) -> User:
    return User.objects.create(username=username, email=f"{username}@mail.test", **fields)


@pytest.mark.parametrize("term", ["anna.petrova", "PETROVA@", "anna.petrova@MAIL.test", "Анна", "анна иванова", "Ив"])
def test_a_customer_is_found_by_any_name_and_opened(desk: Client, term: str):
    anna = person("anna.petrova", first_name="Анна", last_name="Иванова")
    person("somebody")
    assert find(desk, term)["location"] == f"/admin/customers/{anna.pk}/"


def test_a_whole_address_opens_its_customer_though_others_contain_it(desk: Client):
    bob = person("bob")
    person("b", last_name="bob@mail.test")
    assert find(desk, "bob@mail.test")["location"] == f"/admin/customers/{bob.pk}/"


@pytest.mark.parametrize("term", ["team", "TEAM", "Small team", "Команда"])
def test_a_plan_is_found_by_its_whole_name_and_opened(desk: Client, term: str):
    plan = sell("team", RUB=100)["RUB"].plan
    Plan.objects.filter(pk=plan.pk).update(name="Small team", name_ru="Команда")
    assert find(desk, term)["location"] == change("subscriptions.plan", plan.pk)


def test_a_part_of_a_plans_name_does_not_stand_in_the_way_of_a_customer(desk: Client):
    sell("standard", RUB=100)
    anna = person("anna.d")
    assert find(desk, "an")["location"] == f"/admin/customers/{anna.pk}/"


def test_several_customers_are_listed_with_their_addresses(desk: Client):
    for name in ("nina1", "nina2"):
        person(name)
    answer = find(desk, "nina")
    assert found(answer) == ["nina2", "nina1"]
    assert b"nina1@mail.test" in answer.content


def test_a_long_list_says_that_there_is_more(desk: Client):
    for number in range(21):
        person(f"nina{number}")
    answer = find(desk, "nina")
    assert len(found(answer)) == 20
    assert answer.context["groups"][0].has_more


def test_rows_are_found_by_their_public_ids_and_their_beginnings(desk: Client, alice: User, paid: Payment):
    refund = refunds.issue(paid, amount=100_00, now=timezone.now())
    subscription = row(alice, sell("basic", RUB=100)["RUB"])
    for each, model in (
        (paid, "payments.payment"), (refund, "payments.refund"), (subscription, "subscriptions.subscription"),
    ):  # fmt: skip
        for term in (each.public_id, each.public_id.upper(), each.public_id[:20]):
            assert find(desk, term)["location"] == change(model, each.pk)


def test_rows_are_found_by_the_ids_of_gateways(desk: Client, paid: Payment):
    refund = refunds.issue(paid, amount=100_00, now=timezone.now())
    assert find(desk, paid.gateway_id or "")["location"] == change("payments.payment", paid.pk)
    assert find(desk, refund.gateway_id or "")["location"] == change("payments.refund", refund.pk)


def test_disputes_and_collections_and_transfers_are_found(desk: Client, alice: User, superuser: User):
    rows = staff_rows.make(alice, superuser, now=timezone.now())
    dispute, collection, transfer = rows["dispute"], rows["collection"], rows["transfer"]
    assert find(desk, dispute.public_id)["location"] == change("payments.dispute", dispute.pk)
    assert find(desk, dispute.gateway_id)["location"] == change("payments.dispute", dispute.pk)
    assert find(desk, collection.public_id)["location"] == change("payments.collection", collection.pk)
    assert find(desk, transfer.reference)["location"] == change("manual.manualtransfer", transfer.pk)


def test_a_transaction_is_found_by_key(desk: Client, paid: Payment):
    entry = Transaction.objects.get(key=f"payment:{paid.public_id}")
    assert find(desk, entry.key)["location"] == change("ledger.transaction", entry.pk)


def test_the_id_of_a_customer_is_found(desk: Client, alice: User):
    assert find(desk, str(alice.pk))["location"] == f"/admin/customers/{alice.pk}/"


def test_cards_are_found_by_their_last_four_digits_with_their_customers(desk: Client, alice: User, mallory: User):
    for number, owner in enumerate((alice, mallory)):
        PaymentMethod.objects.create(
            customer=owner, gateway="sandbox", gateway_id=f"card_{number}", last4="9071", brand="Visa",
            created_at=timezone.now(),
        )  # fmt: skip
    answer = find(desk, "9071")
    assert found(answer) == ["Visa •••• 9071"] * 2
    for owner in (alice, mallory):
        assert f'href="/admin/customers/{owner.pk}/"' in answer.content.decode()


@pytest.mark.parametrize(
    "term",
    [
        "%",
        "_",
        "%%%",
        "a\0lice%",
        "\0",
        "pay_%",
        "pay_",
        "x" * 100_000,
        "'; --",
        "\\",
        "9" * 30,
        "🙂",
        " \t ",
        "@",
        "a@b",
    ],
)
def test_hostile_text_finds_nothing_and_breaks_nothing(desk: Client, alice: User, term: str):
    answer = find(desk, term)
    assert (answer.status_code, found(answer)) == (200, [])
    assert b"last four digits of a saved card" in answer.content


def test_a_text_is_shown_as_text(desk: Client):
    assert b"<script>alert" not in find(desk, "<script>alert(1)</script>").content


def test_ugly_names_are_listed_whole(desk: Client):
    for number in (1, 2):
        person(f"ugly{number}", first_name="<b>" + "W" * 140, last_name="%s {} \u202eevil")
    page = find(desk, "ugly").content.decode()
    assert "<b>" not in page
    assert "&lt;b&gt;" + "W" * 140 in page


def test_a_role_finds_only_what_it_may_view(client: Client, alice: User, paid: Payment):
    client.force_login(member("catalogue"))
    for term in ("alice", alice.email, paid.public_id, paid.gateway_id or "", f"payment:{paid.public_id}"):
        assert found(find(client, term)) == []


def test_customers_have_no_search(client: Client, alice: User):
    client.force_login(alice)
    assert find(client, "alice")["location"].startswith("/admin/login/")


def test_the_box_is_on_each_page_of_the_desk(desk: Client):
    for page in ("/admin/", "/admin/payments/payment/", "/admin/search/?q=zzzz"):
        assert b'action="/admin/search/"' in desk.get(page).content
    assert b'value="zzzz"' in desk.get("/admin/search/?q=zzzz").content


def test_it_takes_few_queries_however_much_is_found(desk: Client, alice: User, django_assert_max_num_queries: Any):
    now = timezone.now()
    for number in range(15):
        PaymentMethod.objects.create(
            customer=alice, gateway="sandbox", gateway_id=f"card_{number}", last4="9071", created_at=now
        )
        person(f"x9071-{number}")
    pay_in(alice, 100)
    with django_assert_max_num_queries(12):
        assert len(found(find(desk, "9071"))) == 30

import pytest
from django.test import Client

import ledger
from ledger.models import Account, Transaction
from tests.ledger.conftest import CLEARING, entry

pytestmark = pytest.mark.django_db
ACCOUNTS, TRANSACTIONS = "/admin/ledger/account/", "/admin/ledger/transaction/"


@pytest.fixture
def desk(client: Client, superuser) -> Client:
    """A superuser's browser. Even a superuser may only view here."""
    client.force_login(superuser)
    return client


@pytest.fixture
def row(wallet, staff) -> Transaction:
    ledger.post([entry("payment:1", CLEARING, wallet, 134200)])
    ledger.post([entry("adj:1", wallet, "adjustments", 200, description="<b>by hand</b>", author=staff.pk)])
    return Transaction.objects.get(key="adj:1")


def page_at(desk: Client, path: str) -> str:
    answer = desk.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_accounts_are_shown_with_their_balances(desk, row):
    page = page_at(desk, ACCOUNTS)
    assert '<span class="num">€1,340.00</span>' in page
    assert CLEARING in page
    # The list does not sum the balance of a system account, its page does.
    clearing = Account.objects.get(code=CLEARING, currency="EUR")
    assert '<span class="num">−€1,342.00</span>' not in page
    assert '<span class="num">−€1,342.00</span>' in page_at(desk, f"{ACCOUNTS}{clearing.pk}/change/")


def test_transactions_are_shown_with_the_wallets_sign(desk, row):
    page = page_at(desk, TRANSACTIONS)
    assert '<span class="num">−€2.00</span>' in page
    assert "&lt;b&gt;by hand&lt;/b&gt;" in page


def test_every_page_opens_and_links_to_related_objects(desk, row, alice, staff):
    page = page_at(desk, f"{TRANSACTIONS}{row.pk}/change/")
    for link in (
        f"/admin/accounts/user/{staff.pk}/",
        f"/admin/customers/{alice.pk}/",
        f"{ACCOUNTS}{row.wallet_id}/",
    ):
        assert link in page
    for account in Account.objects.all():
        page_at(desk, f"{ACCOUNTS}{account.pk}/change/")


def test_a_wallet_links_to_its_transactions(desk, row, mallory):
    assert f"{TRANSACTIONS}?wallet__id__exact={row.wallet_id}" in page_at(desk, f"{ACCOUNTS}{row.wallet_id}/change/")
    assert "adj:1" in page_at(desk, f"{TRANSACTIONS}?wallet__id__exact={row.wallet_id}")
    assert "adj:1" not in page_at(desk, f"{TRANSACTIONS}?wallet__id__exact=0")


@pytest.mark.parametrize(
    ("term", "there"),
    [("adj:1", True), ("alice", True), ("ALICE@example.com", True), ("mallory", False), ("adj", False)],
)
def test_a_transaction_is_found_by_its_key_or_its_customer(desk, row, mallory, term, there):
    assert ("by hand" in page_at(desk, f"{TRANSACTIONS}?q={term}")) is there


@pytest.mark.parametrize("path", [ACCOUNTS, TRANSACTIONS])
def test_nothing_can_be_added_changed_or_deleted(desk, row, path):
    pk = row.wallet_id if path == ACCOUNTS else row.pk
    assert desk.get(f"{path}add/").status_code == 403
    assert desk.post(f"{path}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert desk.post(f"{path}{pk}/change/", {"amount": 1}).status_code == 403
    desk.post(path, {"action": "delete_selected", "_selected_action": [pk], "post": "yes"})
    assert "delete_selected" not in page_at(desk, path)
    assert Transaction.objects.count() == 2

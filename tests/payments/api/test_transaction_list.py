"""GET /api/transactions/: a customer sees only their own transactions."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from rest_framework.test import APIClient

import ledger
from accounts.models import User
from ledger.models import Transaction
from ledger.wallets import wallet_id_of

pytestmark = pytest.mark.django_db
LOG = "/api/transactions/"
START = datetime(2026, 3, 1, tzinfo=UTC)
NUMBERS = count()


def move(owner: User, amount: int, currency: str = "RUB", *, day: int = 0, reason: str = "") -> int:
    """Post a transaction of a wallet and return its id: a top-up if `amount` is positive, else a charge."""
    wallet, other = wallet_id_of(owner.pk, currency), "gateway_clearing:sandbox" if amount > 0 else "revenue"
    entry = ledger.Entry(
        key=f"log:{next(NUMBERS)}", debit=other if amount > 0 else wallet, credit=wallet if amount > 0 else other,
        amount=abs(amount), currency=currency, reason=reason or ("top_up" if amount > 0 else "charge"),
        effective_at=START + timedelta(days=day), description="by hand",
    )  # fmt: skip
    [posted] = ledger.post([entry])
    assert posted.id is not None
    return posted.id


def browse(user: User) -> APIClient:
    browser = APIClient()
    browser.force_authenticate(user)
    return browser


def listed(user: User, query: str = "") -> list[str]:
    return [row["id"] for row in browse(user).get(LOG + query).json()["results"]]


def test_each_transaction_shows_reason_time_amount_and_balance(alice: User) -> None:
    first = move(alice, 1342_00)
    second = move(alice, -99_50, day=1)
    results = browse(alice).get(LOG).json()["results"]
    for row in results:
        assert row.pop("created_at").endswith("Z")
    assert results == [
        {"id": f"txn_{second}", "reason": "charge", "amount": "-99.50", "balance": "1242.50", "currency": "RUB",
         "description": "by hand", "effective_at": "2026-03-02T00:00:00Z", "subscription": None, "plan": None,
             "user": alice.pk, "payment": None},
        {"id": f"txn_{first}", "reason": "top_up", "amount": "1342.00", "balance": "1342.00", "currency": "RUB",
         "description": "by hand", "effective_at": "2026-03-01T00:00:00Z", "subscription": None, "plan": None,
             "user": alice.pk, "payment": None},
    ]  # fmt: skip
    assert browse(alice).get(f"{LOG}txn_{second}").json()["amount"] == "-99.50"


def test_amounts_have_the_decimals_of_their_currency(alice: User) -> None:
    move(alice, 500, "JPY")
    move(alice, 1_234, "KWD")
    assert {row["currency"]: row["amount"] for row in browse(alice).get(LOG).json()["results"]} == {
        "JPY": "500", "KWD": "1.234",
    }  # fmt: skip


def test_another_customers_transaction_is_not_found(alice: User, mallory: User, staff: User) -> None:
    hers = move(alice, 100)
    for thief in (mallory, staff):
        foreign, absent = (browse(thief).get(f"{LOG}txn_{number}") for number in (hers, hers + 10**6))
        assert foreign.status_code == absent.status_code == 404
        assert {**foreign.json(), "request_id": ""} == {**absent.json(), "request_id": ""}
        assert listed(thief) == []
    assert APIClient().get(LOG).status_code == APIClient().get(f"{LOG}txn_{hers}").status_code == 401


@pytest.mark.parametrize("name", ["1", "txn_", "txn_x", "txn_-1", "txn_" + "9" * 30, "txn_" + "9" * 6000, "txn_1%00"])
def test_a_malformed_id_is_not_found(alice: User, name: str) -> None:
    assert browse(alice).get(LOG + name).status_code == 404


def test_pages_forward_and_back_hold_every_transaction_once(alice: User) -> None:
    made = [
        f"txn_{move(alice, 100 + n, ('RUB', 'EUR', 'JPY')[n % 3], day=n // 4)}" for n in range(25)
    ]  # several at one instant, in three wallets
    pages: list[list[str]] = []
    address, last = LOG + "?limit=7", ""
    while address:
        page: Any = browse(alice).get(address).json()
        pages.append([row["id"] for row in page["results"]])
        last, address = page["previous"], page["next"]
    assert [row for page in pages for row in page] == made[::-1]
    back: list[list[str]] = []
    while last:
        page = browse(alice).get(last).json()
        back.insert(0, [row["id"] for row in page["results"]])
        last = page["previous"]
    assert back == pages[:3]


def test_a_new_transaction_between_pages_shifts_nothing(alice: User) -> None:
    made = [f"txn_{move(alice, 100, day=n)}" for n in range(4)]
    first = browse(alice).get(LOG + "?limit=2").json()
    move(alice, 100, day=9)
    second = browse(alice).get(first["next"]).json()
    assert [row["id"] for row in first["results"] + second["results"]] == made[::-1]


def test_the_list_can_be_filtered_by_currency_reason_and_time(alice: User) -> None:
    first, charge = move(alice, 1000), move(alice, -10, day=1)
    euro, later = move(alice, 500, "EUR", day=1), move(alice, 300, day=2)
    assert listed(alice, "?currency=EUR") == [f"txn_{euro}"]
    assert listed(alice, "?reason=charge") == [f"txn_{charge}"]
    assert listed(alice, "?reason=top_up&currency=RUB") == [f"txn_{later}", f"txn_{first}"]
    # `from` is inclusive, `to` is exclusive.
    assert listed(alice, "?from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00Z") == [f"txn_{euro}", f"txn_{charge}"]
    assert listed(alice, "?from=2026-03-02&currency=RUB") == [f"txn_{later}", f"txn_{charge}"]
    assert listed(alice, "?currency=USD") == []


@pytest.mark.parametrize(
    ("query", "param"),
    [("currency=rub", "currency"), ("currency=XXX", "currency"), ("reason=theft", "reason"), ("from=soon", "from"),
     ("to=2026-13-01", "to"), ("since=2026-01-01", "since"), ("limit=1000", "limit"), ("limit=-1", "limit"),
     ("cursor=zzz", "cursor"), ("reason=charge&reason=refund", "reason"), ("from=0001-01-01T00:00:00%2B14:00", "from")],
)  # fmt: skip
def test_errors_name_unknown_and_invalid_filters(alice: User, query: str, param: str) -> None:
    answer = browse(alice).get(f"{LOG}?{query}")
    assert (answer.status_code, [error["param"] for error in answer.json()["errors"]]) == (400, [param])


def test_a_cursor_of_another_customer_is_refused(alice: User, mallory: User) -> None:
    for n in range(3):
        move(alice, 100, day=n)
    move(mallory, 100)
    address = browse(alice).get(LOG + "?limit=1").json()["next"]
    answer = browse(mallory).get(address)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_transactions_are_read_only(alice: User) -> None:
    number = move(alice, 100)
    for method in ("post", "put", "patch", "delete"):
        assert getattr(browse(alice), method)(LOG, {}).status_code == 405
        assert getattr(browse(alice), method)(f"{LOG}txn_{number}", {}).status_code == 405
    assert Transaction.objects.count() == 1


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("prefix", ["/api/", "/api/v1/"])
def test_urls_work_with_and_without_a_slash_and_a_version(alice: User, prefix: str, slash: str) -> None:
    number = move(alice, 100)
    for address in ("transactions", f"transactions/txn_{number}", "wallet"):
        assert browse(alice).get(prefix + address + slash).status_code == 200

"""What a program sends with a payment comes back: in answers, in the list, and on its customer's way back."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from payments.models import Payment
from subscriptions.models import Price
from tests.payments.api.calls import CHECKOUT, LIST, TOP_UP

pytestmark = pytest.mark.django_db
SHOP = "https://shop.example.com"
SENT = {
    "success_url": f"{SHOP}/paid?cart=7",
    "cancel_url": f"{SHOP}/cart",
    "client_reference_id": "cart 7",
    "metadata": {"cart": "7", "note": ""},
}
PLAN = {"plan": "basic"}
MONEY = {"value": "500.00", "currency": "RUB"}


@pytest.fixture(autouse=True)
def _origins(settings: Any) -> None:
    settings.RETURN_ORIGINS = [SHOP, "http://localhost:3000"]


@pytest.mark.parametrize(("path", "body"), [(CHECKOUT, PLAN), (TOP_UP, MONEY), (LIST, MONEY)])
def test_references_come_back_in_answers(api: APIClient, basic: Price, path: str, body: dict[str, str]) -> None:
    made = api.post(path, {**body, **SENT})
    assert made.status_code == 201, made.content
    for answer in (made.json(), api.get(LIST + made.json()["id"]).json(), api.get(LIST).json()["results"][0]):
        assert {name: answer[name] for name in SENT} == SENT
    assert [row["id"] for row in api.get(f"{LIST}?client_reference_id=cart 7").json()["results"]] == [made.json()["id"]]
    assert api.get(f"{LIST}?client_reference_id=8").json()["results"] == []


def test_without_references_they_are_empty(api: APIClient, basic: Price) -> None:
    answer = api.post(CHECKOUT, PLAN).json()
    assert {name: answer[name] for name in SENT} == {
        "success_url": "", "cancel_url": "", "client_reference_id": "", "metadata": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/", "https://shop.example.com.evil.example.com/", "https://shop.example.com@evil.com/",
        "https://user@shop.example.com/", "https://shop.example.com:8443/", "http://shop.example.com/",
        "http://localhost/", "//shop.example.com/", "/paid", "javascript:alert(1)", "https:/shop.example.com/",
        "https://shop.example.com\\@evil.com", "https://shop.example.com:x/", "https://[::1", "https://shop.example.com/ж",
        "https://shop.example.com/" + "x" * 500, "", 7, None,
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["success_url", "cancel_url"])
def test_a_url_of_another_origin_is_refused_by_name(api: APIClient, basic: Price, name: str, url: Any) -> None:
    answer = api.post(CHECKOUT, {**PLAN, name: url})
    assert (answer.status_code, [error["param"] for error in answer.json()["errors"]]) == (400, [name])
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    "url", [f"{SHOP}/", SHOP, "HTTPS://Shop.Example.com/x#y", "http://localhost:3000/?a=b", "http://127.0.0.1:8000/x"]
)
def test_a_url_of_an_allowed_origin_or_of_this_site_is_taken(api: APIClient, basic: Price, url: str) -> None:
    assert api.post(CHECKOUT, {**PLAN, "success_url": url}).json()["success_url"] == url


@pytest.mark.parametrize(
    ("metadata", "param"),
    [
        ({f"k{number}": "" for number in range(21)}, "metadata"), ({"": "x"}, "metadata"), ({"a b": "x"}, "metadata"),
        ({"k" * 41: "x"}, "metadata"), ({"k": "x" * 501}, "metadata.k"), ({"k": 7}, "metadata.k"),
        ({"k": {"deep": "x"}}, "metadata.k"), ({"k": None}, "metadata.k"), ({"k": "\u200b"}, "metadata.k"),
        (["k"], "metadata"), ("k", "metadata"),
    ],
)  # fmt: skip
def test_metadata_is_bounded(api: APIClient, basic: Price, metadata: Any, param: str) -> None:
    answer = api.post(CHECKOUT, {**PLAN, "metadata": metadata})
    assert (answer.status_code, [error["param"] for error in answer.json()["errors"]]) == (400, [param])
    largest = {f"k{number}".ljust(40, "k"): "x" * 500 for number in range(20)}
    assert api.post(CHECKOUT, {**PLAN, "metadata": largest}).json()["metadata"] == largest


def test_a_second_checkout_of_the_same_goes_on_with_the_new_references(api: APIClient, basic: Price) -> None:
    first = api.post(CHECKOUT, {**PLAN, **SENT}).json()
    kept = api.post(CHECKOUT, PLAN).json()
    assert (kept["id"], kept["client_reference_id"]) == (first["id"], "cart 7")
    second = api.post(CHECKOUT, {**PLAN, "client_reference_id": "cart 8", "cancel_url": ""}).json()
    assert second.get("code") == "validation_failed"
    second = api.post(CHECKOUT, {**PLAN, "client_reference_id": "cart 8"}).json()
    assert (second["id"], second["client_reference_id"], second["metadata"]) == (
        first["id"],
        "cart 8",
        SENT["metadata"],
    )


def test_a_page_that_leads_back_to_us_is_replaced_by_one_that_leads_to_the_program(
    api: APIClient, basic: Price
) -> None:
    first = api.post(CHECKOUT, PLAN).json()
    second = api.post(CHECKOUT, {**PLAN, **SENT}).json()
    assert second["id"] != first["id"]
    assert second["subscription"] == first["subscription"]


# The way back


def pay(url: str, outcome: str) -> str:
    """Choose an outcome on the sandbox's page and return where the way back ends. Nobody is logged in."""
    browser = Client()
    back = browser.post(url, {"outcome": outcome})
    assert back.status_code == 303
    onward = browser.get(back["Location"])
    assert onward.status_code == 302, onward.content
    assert "no-store" in onward["Cache-Control"]
    return str(onward["Location"])


@pytest.mark.parametrize(
    ("outcome", "page", "status"),
    [
        ("succeeds", "/paid", "confirmed"), ("webhook_lost", "/paid", "confirmed"),
        ("succeeds_late", "/paid", "pending"), ("wrong_amount", "/paid", "unknown"), ("cancel", "/cart", "cancelled"),
        ("expired_card", "/cart", "failed"),
    ],
)  # fmt: skip
def test_the_customer_goes_back_to_the_program(
    api: APIClient, basic: Price, outcome: str, page: str, status: str
) -> None:
    made = api.post(CHECKOUT, {**PLAN, **SENT}).json()
    url = urlsplit(pay(made["confirmation_url"], outcome))
    assert (f"{url.scheme}://{url.netloc}", url.path) == (SHOP, page)
    told = {"payment_id": [made["id"]], "status": [status], "client_reference_id": ["cart 7"]}
    assert parse_qs(url.query) == ({"cart": ["7"]} if page == "/paid" else {}) | told


@pytest.mark.parametrize(("outcome", "sent"), [("cancel", "success_url"), ("succeeds", "cancel_url")])
def test_without_the_url_for_it_the_customer_comes_to_our_page(
    api: APIClient, basic: Price, outcome: str, sent: str
) -> None:
    made = api.post(CHECKOUT, {**PLAN, sent: SENT[sent]}).json()
    assert pay(made["confirmation_url"], outcome) == f"/pay/{made['id']}/"


def test_an_origin_that_is_not_allowed_any_more_gets_nobody(api: APIClient, basic: Price, settings: Any) -> None:
    made = api.post(CHECKOUT, {**PLAN, **SENT}).json()
    settings.RETURN_ORIGINS = []
    assert pay(made["confirmation_url"], "succeeds") == f"/pay/{made['id']}/"


def test_the_sandbox_may_lead_to_the_program(api: APIClient, alice: User, basic: Price) -> None:
    made = api.post(CHECKOUT, {**PLAN, **SENT}).json()
    policy = Client().get(made["confirmation_url"])["Content-Security-Policy"]
    [targets] = [part for part in policy.split("; ") if part.startswith("form-action ")]
    assert SHOP in targets.split()


def test_the_way_back_is_open_to_anybody_but_a_few_times_a_minute(
    api: APIClient, basic: Price, time_machine: Any
) -> None:
    time_machine.move_to(datetime.now(UTC), tick=False)
    made = api.post(CHECKOUT, {**PLAN, **SENT}).json()
    back = f"/pay/{made['id']}/return/"
    assert [Client().get(back).status_code for _ in range(21)] == [302] * 20 + [429]
    time_machine.shift(61)
    assert Client().get(back).status_code == 302
    # So are guesses of ids from one address.
    assert [Client().get(f"/pay/pay_{n:026}/return/").status_code for n in range(60)][-1] == 429

"""Every example of the OpenAPI document is sent as it is, except that ids are of objects which exist, and succeeds."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts.models import User
from tests.subscriptions.shop import START, client, pay_in, sell

# Operations with a body without an example: their tokens, words and methods are of one customer at one time.
WITHOUT = {"auth_logout_create", "auth_token_refresh_create", "automatic_top_ups_create", "consents_create"}
SCHEMA: Any = SchemaGenerator().get_schema(public=True)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in SCHEMA["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation:
                yield path, method, operation


def examples() -> Iterator[Any]:
    for path, method, operation in operations():
        for name, example in operation["requestBody"]["content"]["application/json"].get("examples", {}).items():
            yield pytest.param(path, method, operation, example["value"], id=f"{operation['operationId']}-{name}")


class Shop:
    """A customer with an active subscription, and what the examples of one operation are about."""

    def __init__(self, alice: User, operation: str, body: dict[str, Any]) -> None:
        self.alice, self.api, self.operation = alice, client(alice), operation
        sell("standard", RUB=1990_00)
        # A price in euros too, so that the examples need their currency.
        sell("basic", RUB=990_00, EUR=10_00)
        if "sub_" not in str(body) or operation != "payments_create_checkout_session":
            pay_in(alice, 50_000_00)
        elif "change" in body:
            # Enough for the subscription, and not for its change.
            pay_in(alice, 990_00)
        self.subscription = str(self.post("/api/subscriptions/", {"plan": "basic", "currency": "RUB"})["id"])
        self.payment = self.top_up() if "payment" in operation else ""
        self.quote = ""
        if "quote" in body:
            preview = self.api.get(f"/api/subscriptions/{self.subscription}/change-preview?plan=standard")
            self.quote = preview.json()["id"]

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.api.post(path, body)
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    def top_up(self) -> str:
        """Start a top-up, and pay it unless it is to be cancelled."""
        made = self.post("/api/v1/payment", {"value": "500.00", "currency": "RUB"})
        if self.operation != "payments_cancel":
            Client().post(made["confirmation_url"], {"outcome": "succeeds"})
        if self.operation == "payments_refunds_create":
            self.post("/api/payments/confirm-payment", {"payment_id": made["id"]})
        return str(made["id"])

    def real(self, body: Any) -> Any:
        """Return the body with the ids of this shop."""
        ids = {"sub_": self.subscription, "pay_": self.payment, "quo_": self.quote}
        return {name: ids.get(str(value)[:4], value) for name, value in body.items()}


def test_every_operation_with_a_body_has_an_example() -> None:
    without = {
        operation["operationId"]
        for _path, _method, operation in operations()
        if not operation["requestBody"]["content"]["application/json"].get("examples")
    }
    assert without == WITHOUT


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "method", "operation", "body"), [*examples()])
def test_an_example_succeeds(
    path: str, method: str, operation: dict[str, Any], body: dict[str, Any], alice: User, superuser: User,
    time_machine: time_machine.TimeMachineFixture,
) -> None:  # fmt: skip
    time_machine.move_to(START + timedelta(days=1), tick=False)
    name = operation["operationId"]
    shop = Shop(alice, name, body)
    if name == "auth_token_create":
        User.objects.create_user("anna", "anna@example.com", body["password"])
    public_id = shop.payment if "/payments/" in path else shop.subscription
    caller = APIClient() if "auth" in path and "me" not in path else shop.api
    if name == "payments_refunds_create":
        caller = client(superuser)
    address = path.replace("{public_id}", public_id)
    answer = getattr(caller, method)(address, shop.real(body), headers={"idempotency-key": "example"})
    assert str(answer.status_code) in operation["responses"]
    assert answer.status_code in (200, 201, 204), answer.content

"""Run as a program with a generator, a folder, an address and a password: its client goes through the API as alice."""

import re
import sys
from importlib import import_module
from typing import Any

GENERATOR, FOLDER, URL, PASSWORD = sys.argv[1:]
sys.path.insert(0, FOLDER)
package: Any = import_module("billing_client")
models: Any = import_module("billing_client.models")


def call(operation: str, *ids: str, access: str = "", **sent: Any) -> Any:
    """Call an operation, such as `payments.payments_list`, and return its answer, also if that is an error."""
    return CALLS[GENERATOR](operation, *ids, access=access, **sent)


def call_openapi_python_client(operation: str, *ids: str, access: str, **sent: Any) -> Any:
    """Operations are modules, and each answer is returned."""
    known = package.AuthenticatedClient(base_url=URL, token=access) if access else package.Client(base_url=URL)
    return import_module(f"billing_client.api.{operation}").sync(*ids, client=known, **sent)


def call_openapi_generator(operation: str, *ids: str, access: str, **sent: Any) -> Any:
    """Operations are methods of a class for each tag, a body is called as its model, and errors are raised."""
    tag, _, name = operation.partition(".")
    if "body" in sent:
        body = sent.pop("body")
        sent[re.sub("(?<=.)(?=[A-Z])", "_", type(body).__name__).lower()] = body
    api = getattr(package, tag.title() + "Api")
    with package.ApiClient(package.Configuration(host=URL, access_token=access or None)) as client:
        try:
            return getattr(api(client), name)(*ids, **sent)
        except package.ApiException as error:
            return models.Problem.from_json(error.body)


CALLS = {"openapi-python-client": call_openapi_python_client, "openapi-generator": call_openapi_generator}


def body(model: str, **values: Any) -> Any:
    """Return a request body."""
    return getattr(models, model).from_dict(values)


def main() -> None:
    """Log in, look around, buy, change, and read what has happened."""
    pair = call("auth.auth_token_create", body=body("LogInRequest", username="alice", password=PASSWORD))
    pair = call("auth.auth_token_refresh_create", body=body("RefreshRequest", refresh=pair.refresh))
    mine = {"access": pair.access}
    assert call("auth.auth_me_retrieve", **mine).username == "alice"
    assert call("auth.auth_me_partial_update", body=body("ProfileRequest", first_name="Al"), **mine).first_name == "Al"
    assert [plan.code for plan in call("plans.plans_list").results] == ["basic", "standard"]
    order = body("CheckoutRequest", plan="standard", currency="RUB", client_reference_id="cart 7", amount="1990.00")
    paid = call("payments.payments_create_checkout_session", body=order, idempotency_key="tour", **mine)
    again = call("payments.payments_create_checkout_session", body=order, idempotency_key="tour", **mine)
    assert (paid.id, paid.client_reference_id, paid.amount.value) == (again.id, "cart 7", "1990.00")
    topped = call("payments.payments_create", body=body("TopUpRequest", value="500.00", currency="RUB"), **mine)
    by_id = body("PaymentIdRequest", payment_id=topped.id)
    unpaid = call("payments.payments_confirm", body=by_id, **mine)
    assert (unpaid.status, unpaid.code, unpaid.state) == (409, "payment_not_confirmed", "pending")
    assert call("payments.payments_cancel", body=by_id, **mine).status == "cancelled"
    number = body("TopUpRequest", value=750.5, currency="RUB")
    assert call("payments.payment_create", body=number, **mine).amount.value == "750.50"
    assert [row.id for row in call("payments.payments_list", client_reference_id="cart 7", **mine).results] == [paid.id]
    live = next(row for row in call("subscriptions.subscriptions_list", **mine).results if row.access)
    assert call("subscriptions.subscriptions_access", live.id, **mine).active
    quote = call("subscriptions.subscriptions_change_preview", live.id, quantity=2, **mine)
    accepted = body("ChangeQuantityRequest", quote=quote.id)
    changed = call("subscriptions.subscriptions_change_quantity", live.id, body=accepted, **mine)
    assert changed.quantity == 2
    patch = body("PatchSubscriptionRequest", auto_renew=False)
    assert call("subscriptions.subscriptions_update", live.id, body=patch, **mine).auto_renew is False
    newest = call("transactions.transactions_list", limit=1, **mine).results[0]
    assert call("transactions.transactions_retrieve", newest.id, **mine).amount == newest.amount
    assert call("transactions.transactions_explain", newest.id, **mine).match
    assert call("wallet.wallet_retrieve", **mine).results[0].currency == "RUB"
    assert call("events.events_list", **mine).results[0].subject.startswith("sub_")
    assert call("subscriptions.subscriptions_retrieve", "sub_" + "0" * 26, **mine).code == "not_found"


main()

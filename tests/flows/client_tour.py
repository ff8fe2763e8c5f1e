"""Run as a program with a folder, an address and a password: a generated client goes through the API as alice."""

import sys
from importlib import import_module
from typing import Any

FOLDER, URL, PASSWORD = sys.argv[1:]
sys.path.insert(0, FOLDER)
package: Any = import_module("billing_client")
models: Any = import_module("billing_client.models")


def call(operation: str, *ids: str, access: str = "", **sent: Any) -> Any:
    """Call an operation, such as `payments.payments_list`, and return its answer."""
    known = package.AuthenticatedClient(base_url=URL, token=access) if access else package.Client(base_url=URL)
    return import_module(f"billing_client.api.{operation}").sync(*ids, client=known, **sent)


def main() -> None:
    """Log in, look around, buy, change, and read what has happened."""
    pair = call("auth.auth_token_create", body=models.LogInRequest(username="alice", password=PASSWORD))
    pair = call("auth.auth_token_refresh_create", body=models.RefreshRequest(refresh=pair.refresh))
    mine = {"access": pair.access}
    assert call("auth.auth_me_retrieve", **mine).username == "alice"
    assert [plan.code for plan in call("plans.plans_list").results] == ["basic", "standard"]
    order = models.CheckoutRequest(plan="standard", currency="RUB", client_reference_id="cart 7")
    paid = call("payments.payments_create_checkout_session", body=order, idempotency_key="tour", **mine)
    again = call("payments.payments_create_checkout_session", body=order, idempotency_key="tour", **mine)
    assert (paid.id, paid.client_reference_id, paid.amount.value) == (again.id, "cart 7", "1990.00")
    top_up = models.TopUpRequest(value="500.00", currency="RUB")
    topped = call("payment.payment_create", body=top_up, **mine)
    unpaid = call("payments.payments_confirm", body=models.PaymentIdRequest(payment_id=topped.id), **mine)
    assert (unpaid.status, unpaid.code, unpaid.state) == (409, "payment_not_confirmed", "pending")
    cancelled = call("payments.payments_cancel", body=models.PaymentIdRequest(payment_id=topped.id), **mine)
    assert str(cancelled.status) == "cancelled"
    assert [row.id for row in call("payments.payments_list", limit=1, **mine).results] == [topped.id]
    live = next(row for row in call("subscriptions.subscriptions_list", **mine).results if row.access)
    assert call("subscriptions.subscriptions_access", live.id, **mine).active
    quote = call("subscriptions.subscriptions_change_preview", live.id, quantity=2, **mine)
    accepted = models.ChangeQuantityRequest(quote=quote.id)
    changed = call("subscriptions.subscriptions_change_quantity", live.id, body=accepted, **mine)
    assert changed.quantity == 2
    patch = models.PatchedPatchSubscriptionRequest(auto_renew=False)
    assert call("subscriptions.subscriptions_update", live.id, body=patch, **mine).auto_renew is False
    newest = call("transactions.transactions_list", limit=1, **mine).results[0]
    assert call("transactions.transactions_retrieve", newest.id, **mine).amount == newest.amount
    assert call("transactions.transactions_explain", newest.id, **mine).match
    assert call("wallet.wallet_retrieve", **mine).results[0].currency == "RUB"
    assert call("events.events_list", **mine).results[0].type_.startswith("subscription.")
    assert call("subscriptions.subscriptions_retrieve", "sub_" + "0" * 26, **mine).code == "not_found"


main()

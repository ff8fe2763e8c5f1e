"""How many modules a payment and a billing run go through, which a reader must open to follow them."""

import pytest
from django.utils import timezone

from billing_site.metrics import gateways
from payments import confirmation
from payments.gateways import guard
from subscriptions import billing_run
from tests.payments.checkouts import start
from tests.subscriptions.bank import NOON
from tests.subscriptions.due_books import APRIL, due_in_april
from tests.subscriptions.shop import sell
from tests.walk import follow

pytestmark = pytest.mark.django_db
COUNTED = "billing_site.metrics.gateways"


def test_a_confirmed_payment_goes_through_few_modules(alice, client):
    sell("basic", RUB=990_00)
    payment = start(alice, plan="basic")
    client.post(f"/sandbox/pay/{payment.gateway_id}/", {"outcome": "succeeds"})
    # The metrics are told how long the gateway took, and nothing of the payment.
    assert guard.called.disconnect(gateways.count, dispatch_uid=COUNTED)
    try:
        walk = follow(lambda: confirmation.confirm(payment.pk, now=timezone.now()))
    finally:
        guard.called.connect(gateways.count, dispatch_uid=COUNTED)
    payment.refresh_from_db()
    assert payment.status == "confirmed"
    print("confirm:", len(walk.rooms), "rooms,", walk.returns, "returns")  # noqa: T201
    assert len(walk.rooms) <= 30


def test_a_billing_run_goes_through_few_modules(db):
    [customer] = due_in_april(1, sell("basic", RUB=990_00)["RUB"])
    walk = follow(lambda: billing_run.run_due(now=APRIL))
    assert customer.subscriptions.get().period_start == APRIL > NOON
    print("billing run:", len(walk.rooms), "rooms,", walk.returns, "returns")  # noqa: T201
    assert len(walk.rooms) <= 20

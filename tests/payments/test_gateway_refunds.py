"""A refund that staff made on the gateway's own pages is recorded once, and its money is taken back from the wallet."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from ledger.models import Account, Transaction
from payments import confirmation, disputes, gateway_refunds, refunds
from payments.gateway_refunds import NotRecorded
from payments.gateways.aftermath import DisputeSnapshot, DisputeState, RefundSnapshot, RefundState
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxRefund
from payments.models import Dispute, Payment, Refund
from payments.refunds import Destination
from subscriptions import books
from subscriptions.models import Price, Subscription
from tests.ledger.plant import plant
from tests.ledger.snapshot import found
from tests.payments.checkouts import start
from tests.payments.rows import balance, events

pytestmark = pytest.mark.django_db
Choose = Callable[..., Any]


def made(payment: Payment, amount: int = 1000_00, **changes: Any) -> RefundSnapshot:
    """Return a refund of a payment that somebody has made at the gateway."""
    values: dict[str, Any] = {
        "gateway_id": "sbr_hand", "state": RefundState.SUCCEEDED, "amount": amount, "currency": "RUB",
        "payment": payment.gateway_id, "idempotency_key": "",
    }  # fmt: skip
    return RefundSnapshot(**values | changes)


def record(snapshot: RefundSnapshot) -> Refund:
    refund = gateway_refunds.record("sandbox", snapshot, now=timezone.now())
    assert refund is not None
    return refund


def debt(customer: User) -> int:
    account = Account.objects.filter(owner=customer, kind="debt", currency="RUB").first()
    return -(account.balance or 0) if account else 0


def clearing() -> int:
    """Return what the sandbox owes us, in kopecks: what went in less what went out."""
    rows = Transaction.objects.filter(currency="RUB").exclude(reason="fee")
    return sum(row.amount for row in rows.filter(debit__kind="gateway_clearing")) - sum(
        row.amount for row in rows.filter(credit__kind="gateway_clearing")
    )


def test_it_is_taken_from_the_wallet_once(paid: Payment, alice: User) -> None:
    first, again = record(made(paid, 400_00)), record(made(paid, 400_00))
    paid.refresh_from_db()
    assert first == again
    assert (first.status, first.amount, first.gateway_id, first.is_made_at_gateway) == (
        "succeeded", 400_00, "sbr_hand", True,
    )  # fmt: skip
    assert (balance(alice), debt(alice), paid.refundable, clearing()) == (600_00, 0, 600_00, 600_00)
    assert events(first) == ["refund.created", "refund.succeeded"]
    assert found() == {}


def test_what_the_wallet_lacks_is_a_debt_and_the_plan_stops(alice: User, basic: Price, choose: Choose) -> None:
    """990.00 were paid and spent at once on a month of Basic; 400.00 are refunded at the gateway.

    The wallet has nothing, so 400.00 are owed. The unused month, all of 990.00, comes back and pays that; 590.00 stay.
    """
    payment = start(alice, plan="basic")
    choose(payment, "succeeds")
    payment = confirmation.confirm(payment.pk, now=timezone.now())
    assert balance(alice) == 0
    gateway_refunds.record("sandbox", made(payment, 400_00), now=payment.confirmed_at or timezone.now())
    assert (balance(alice), debt(alice), clearing()) == (590_00, 0, 590_00)
    assert Subscription.objects.get().status == "suspended"
    assert found() == {}


def test_what_the_wallet_lacks_stays_a_debt_until_money_comes(paid: Payment, alice: User) -> None:
    # 1000.00 came and 700.00 are spent: 300.00 are taken, 700.00 are owed.
    spend(alice, 700_00)
    record(made(paid))
    assert (balance(alice), debt(alice), clearing()) == (0, 700_00, 0)
    assert found() == {}


def test_a_debt_of_a_refund_that_was_not_made_at_the_gateway_is_found(paid: Payment, alice: User) -> None:
    spend(alice, 700_00)
    refund = record(made(paid))
    plant("payments_refund", f"UPDATE payments_refund SET is_made_at_gateway = false WHERE id = {refund.pk}")
    assert found() == {"refunds_move_the_wallet_once": 1}


def spend(customer: User, amount: int) -> None:
    """Take money from the wallet for something else."""
    with books.open(customer, "RUB", now=timezone.now()) as book:
        book.withdraw(amount, key="test:spent", to="adjustments", reason="adjustment")


def test_our_own_refund_is_matched_by_its_id_first(paid: Payment, alice: User) -> None:
    """The webhook of a refund of ours comes before the answer to its request."""
    refund = refunds.make(
        paid, 300_00, destination=Destination.CARD, reason="r", author=None, key=None, fingerprint="",
        now=timezone.now(),
    )  # fmt: skip
    same = record(made(paid, 300_00, idempotency_key=refund.public_id))
    assert (same.pk, same.gateway_id, same.status, Refund.objects.count()) == (refund.pk, "sbr_hand", "succeeded", 1)
    # Now its answer comes too.
    refunds.apply(refund.pk, made(paid, 300_00), now=timezone.now())
    assert (balance(alice), clearing(), found()) == (700_00, 700_00, {})


def test_a_second_refund_with_our_id_is_another_one(paid: Payment, alice: User) -> None:
    """The gateway has made two for one request. Both have taken money."""
    refund = refunds.issue(paid, now=timezone.now(), amount=300_00)
    second = record(made(paid, 300_00, idempotency_key=refund.public_id))
    assert (second.pk != refund.pk, balance(alice), found()) == (True, 400_00, {})


def test_one_that_the_gateway_refused_and_made_all_the_same_is_another_one(
    paid: Payment, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Sandbox, _request: Any) -> Any:
        raise GatewayError("Not now.", permanent=True, code="refused")

    monkeypatch.setattr(Sandbox, "refund", refuse)
    refused = refunds.issue(paid, now=timezone.now(), amount=300_00)
    assert (refused.status, balance(alice)) == ("failed", 1000_00)
    for _ in range(2):
        made_there = record(made(paid, 300_00, idempotency_key=refused.public_id))
        assert (made_there.pk != refused.pk, made_there.status, balance(alice)) == (True, "succeeded", 700_00)
    assert found() == {}


def test_one_that_failed_before_we_heard_of_it_moves_nothing(paid: Payment, alice: User) -> None:
    assert gateway_refunds.record("sandbox", made(paid, state=RefundState.FAILED), now=timezone.now()) is None
    assert (Refund.objects.count(), balance(alice)) == (0, 1000_00)


def test_one_that_fails_later_brings_the_money_back(paid: Payment, alice: User) -> None:
    waiting = record(made(paid, state=RefundState.PENDING))
    assert (waiting.status, balance(alice)) == ("pending", 0)
    assert waiting.check_at is not None
    failed = record(made(paid, state=RefundState.FAILED, failure_code="card_closed"))
    assert (failed.pk, failed.status, balance(alice), found()) == (waiting.pk, "failed", 1000_00, {})


def test_a_debt_is_paid_when_the_refund_fails(paid: Payment, alice: User) -> None:
    spend(alice, 700_00)
    record(made(paid, state=RefundState.PENDING))
    assert debt(alice) == 700_00
    record(made(paid, state=RefundState.FAILED))
    assert (balance(alice), debt(alice), found()) == (300_00, 0, {})


def test_a_payment_that_we_have_not_heard_of_is_confirmed_first(alice: User, choose: Choose) -> None:
    payment = start(alice, amount=1000_00, currency="RUB")
    choose(payment, "webhook_lost")
    record(made(payment, 1000_00))
    payment.refresh_from_db()
    assert (payment.status, balance(alice), payment.refundable, found()) == ("confirmed", 0, 0, {})


def test_a_parked_payment_that_is_sent_back_at_the_gateway_is_closed(alice: User, choose: Choose) -> None:
    payment = start(alice, amount=1000_00, currency="RUB")
    choose(payment, "wrong_amount")
    payment = confirmation.confirm(payment.pk, now=timezone.now())
    assert payment.parked_reason
    with pytest.raises(NotRecorded, match=r"only 200\.00 RUB of 500\.00 RUB was sent back"):
        record(made(payment, 200_00))
    refund = record(made(payment, 500_00))
    payment.refresh_from_db()
    assert (refund.is_from_wallet, payment.status, payment.failure_code) == (False, "cancelled", "sent_back")
    # The gateway is asked again, and says what it said before.
    payment = confirmation.refresh(payment.pk, now=timezone.now())
    assert (payment.status, payment.parked_reason, balance(alice), found()) == ("cancelled", "", 0, {})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"amount": 1000_01}, "1000.01 RUB was refunded, but only 1000.00 RUB of"),
        ({"currency": "EUR"}, "1000.00 EUR was refunded, but only 1000.00 RUB of"),
        ({"amount": None}, "has no amount"),
        ({"amount": 0}, "has no amount"),
        ({"amount": -1}, "has no amount"),
        ({"amount": 999.5}, "has no amount"),
        ({"amount": 2**63}, "has no amount"),
        ({"payment": "sbx_nobodys"}, "No payment has the gateway id sbx_nobodys"),
        ({"payment": ""}, "No payment has the gateway id -"),
    ],
)
def test_what_does_not_fit_is_left_to_staff(paid: Payment, alice: User, change: dict[str, Any], said: str) -> None:
    with pytest.raises(NotRecorded, match=said):
        record(replace(made(paid), **change))
    assert (Refund.objects.count(), balance(alice)) == (0, 1000_00)


def taken_back(payment: Payment, **changes: Any) -> DisputeSnapshot:
    """Return a dispute in which the bank has taken the whole payment."""
    values: dict[str, Any] = {
        "gateway_id": "sbd_1", "payment": payment.gateway_id, "state": DisputeState.OPEN, "amount": 1000_00,
        "currency": "RUB",
    }  # fmt: skip
    return DisputeSnapshot(**values | changes)


@pytest.mark.parametrize("first", ["the refund", "the dispute"])
def test_a_refund_and_a_dispute_that_are_both_out_are_both_booked(paid: Payment, alice: User, first: str) -> None:
    """1000.00 came in, 500.00 were refunded by hand, and the bank took 1000.00: 500.00 are owed in either order.

    Staff read that it was paid back twice beside whichever we heard of last.
    """
    acts: list[Callable[[], Refund | Dispute]] = [
        lambda: record(made(paid, 500_00)),
        lambda: disputes.apply("sandbox", taken_back(paid), now=timezone.now()),
    ]
    earlier, later = [act() for act in (acts if first == "the refund" else reversed(acts))]
    assert (balance(alice), debt(alice), clearing(), found()) == (0, 500_00, -500_00, {})
    said = "500.00 RUB of {} were refunded too" if first == "the refund" else "The bank has taken {} back too"
    assert earlier is not None
    assert later is not None
    assert (earlier.parked_reason, later.parked_reason) == (
        "", said.format(paid.public_id) + ", so it was paid back twice.",
    )  # fmt: skip


def test_a_refund_of_a_payment_about_which_the_bank_only_asks_is_the_answer_to_it(paid: Payment, alice: User) -> None:
    disputes.apply("sandbox", taken_back(paid, is_withdrawn=False), now=timezone.now())
    refund = record(made(paid, 100_00))
    assert (refund.status, refund.parked_reason, balance(alice), debt(alice)) == ("succeeded", "", 900_00, 0)


def test_a_refund_after_a_dispute_was_won_is_no_second_one(paid: Payment, alice: User) -> None:
    for state in (DisputeState.OPEN, DisputeState.WON):
        disputes.apply("sandbox", taken_back(paid, state=state), now=timezone.now())
    refund = record(made(paid, 100_00))
    assert (refund.parked_reason, balance(alice), found()) == ("", 900_00, {})


def test_an_unpaid_payment_is_not_refunded(alice: User) -> None:
    payment = start(alice, amount=1000_00, currency="RUB")
    with pytest.raises(NotRecorded, match="is pending, so nothing of it can be refunded"):
        record(made(payment))


def test_the_sandboxs_page_makes_one(paid: Payment, alice: User, client: Any) -> None:
    client.post(f"/sandbox/payments/{paid.gateway_id}/", {"action": "refund_by_hand"})
    theirs = SandboxRefund.objects.get()
    assert (theirs.amount, Refund.objects.count()) == (1000_00, 0)

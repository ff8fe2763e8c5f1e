"""The fee of a dispute is the seller's: posted as the gateway reports it, and back. Clearing comes back to zero."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

import ledger
from accounts.models import User
from ledger.models import Transaction
from payments import ageing, comparison, confirmation, disputes, payouts
from payments.gateways.aftermath import DisputeSnapshot, DisputeState, PayoutSnapshot
from payments.gateways.sandbox import disputes as bank
from payments.gateways.sandbox.gateway import Sandbox
from payments.models import Dispute, Payment
from tests.ledger.plant import plant
from tests.ledger.snapshot import found
from tests.payments.checkouts import start
from tests.payments.comparisons import run
from tests.payments.gateways.visitors import stripe as stripe_visitor
from tests.payments.gateways.visitors.stripe import StripeVisitor
from tests.payments.rows import balance

pytestmark = pytest.mark.django_db
DISPUTE = "payments_dispute"


def told(payment: Payment, state: DisputeState, **fee: Any) -> Dispute:
    """Apply what the gateway says of the dispute `dp_1` of the whole payment of 1000.00 roubles."""
    snapshot = DisputeSnapshot(
        gateway_id="dp_1", payment=payment.gateway_id or "", state=state, amount=1000_00, currency="RUB", **fee
    )
    return disputes.apply("sandbox", snapshot, now=timezone.now())


def rub(fee: int) -> dict[str, Any]:
    return {"fee": fee, "fee_currency": "RUB"}


def fees(dispute: Dispute) -> list[tuple[str, str, int]]:
    """Return what was posted as the fee of a dispute: key, account that it left, amount."""
    rows = Transaction.objects.filter(key__startswith=f"fee:{dispute.public_id}").order_by("id")
    return [(row.key.rpartition(":")[2], row.debit.code, row.amount) for row in rows.select_related("debit")]


def owed() -> dict[str, int]:
    """Return what the gateway owes us by currency, in minor units."""
    return {each.balance.currency: each.balance.amount for each in ageing.ageing(now=timezone.now())}


def test_a_fee_is_posted_once_and_the_customer_does_not_pay_it(paid: Payment, alice: User) -> None:
    for _ in range(2):
        dispute = told(paid, DisputeState.OPEN, **rub(15_00))
    assert fees(dispute) == [("1", "gateway_fees", 15_00)]
    assert (dispute.fee, dispute.fee_currency, balance(alice)) == (15_00, "RUB", 0)
    # 1000.00 less its fee of 29.00, less the disputed 1000.00 and its fee of 15.00.
    assert owed() == {"RUB": -44_00}
    sent = PayoutSnapshot(gateway_id="po", amount=-44_00, currency="RUB", arrived_at=timezone.now())
    payouts.record("sandbox", sent, now=timezone.now())
    assert (owed(), found()) == ({"RUB": 0}, {})


@pytest.mark.parametrize(
    ("kept", "posted", "left"),
    [
        (0, [("1", "gateway_fees", 15_00), ("2", "gateway_clearing:sandbox", 15_00)], 971_00),
        (5_00, [("1", "gateway_fees", 15_00), ("2", "gateway_clearing:sandbox", 10_00)], 966_00),
        (15_00, [("1", "gateway_fees", 15_00)], 956_00),
        # A second fee, for the answer to the bank.
        (30_00, [("1", "gateway_fees", 15_00), ("2", "gateway_fees", 15_00)], 941_00),
    ],
)
def test_a_won_dispute_brings_back_what_the_gateway_returns(
    paid: Payment, alice: User, kept: int, posted: list[tuple[str, str, int]], left: int
) -> None:
    told(paid, DisputeState.OPEN, **rub(15_00))
    for _ in range(2):
        dispute = told(paid, DisputeState.WON, is_withdrawn=False, **rub(kept))
    assert (fees(dispute), dispute.fee) == (posted, kept)
    assert (owed(), balance(alice), found()) == ({"RUB": left}, 1000_00, {})


def test_an_old_answer_that_comes_late_posts_no_fee(paid: Payment) -> None:
    told(paid, DisputeState.OPEN, **rub(15_00))
    told(paid, DisputeState.WON, is_withdrawn=False, **rub(0))
    dispute = told(paid, DisputeState.OPEN, **rub(15_00))
    assert (dispute.status, dispute.fee, len(fees(dispute))) == ("won", 0, 2)


@pytest.mark.parametrize("fee", [{}, {"fee": 0, "fee_currency": "RUB"}, {"fee": 5, "fee_currency": "XXX"}])
def test_no_fee_or_one_in_no_currency_of_ours_is_not_posted(paid: Payment, fee: dict[str, Any]) -> None:
    dispute = told(paid, DisputeState.OPEN, **fee)
    assert (fees(dispute), dispute.fee_money, found()) == ([], None, {})


def test_a_fee_is_posted_in_the_currency_of_the_sellers_account(paid: Payment) -> None:
    dispute = told(paid, DisputeState.OPEN, fee=20_00, fee_currency="EUR")
    assert str(dispute.fee_money) == "20.00 EUR"
    # A gateway does not change it. If it says so all the same, nothing is mixed.
    told(paid, DisputeState.OPEN, **rub(15_00))
    assert (owed(), found()) == ({"RUB": -29_00, "EUR": -20_00}, {})


def test_the_daily_comparison_posts_a_fee_that_is_missing(paid: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = bank.open_dispute(paid.gateway_id or "", now=timezone.now())
    assert theirs is not None
    dispute = disputes.refresh("sandbox", theirs.dispute_id, now=timezone.now())
    assert fees(dispute) == []
    plain_list, plain_fetch = Sandbox.list_disputes, Sandbox.fetch_dispute

    def listed(self: Sandbox, **span: Any) -> Iterator[DisputeSnapshot]:
        yield from (replace(each, **rub(15_00)) for each in plain_list(self, **span))

    monkeypatch.setattr(Sandbox, "list_disputes", listed)
    monkeypatch.setattr(Sandbox, "fetch_dispute", lambda self, name: replace(plain_fetch(self, name), **rub(15_00)))
    assert (run(is_dry_run=True).report.fees_posted, fees(dispute)) == (1, [])
    results = [run() for _ in range(2)]
    assert [(each.report.fees_posted, each.found) for each in results] == [(1, []), (0, [])]
    assert fees(dispute) == [("1", "gateway_fees", 15_00)]


@pytest.mark.parametrize("change", ["fee = 1", "fee = 0, fee_changes = 0", "fee_changes = 2", "fee_currency = 'EUR'"])
def test_check_ledger_finds_a_fee_that_differs_from_what_was_posted(paid: Payment, change: str) -> None:
    told(paid, DisputeState.OPEN, **rub(15_00))
    plant(DISPUTE, f"UPDATE {DISPUTE} SET {change}")
    assert found() == {"dispute_fees_are_posted": 1}


@pytest.mark.parametrize("key", ["fee:dsp_nobody:1", "fee:{}:2"])
def test_check_ledger_finds_a_fee_posted_without_cause(paid: Payment, key: str) -> None:
    dispute = told(paid, DisputeState.OPEN, **rub(15_00))
    key, now = key.format(dispute.public_id), timezone.now()
    ledger.post([ledger.Entry(key, "gateway_fees", "gateway_clearing:sandbox", 1, "RUB", "fee", now)])
    assert found() == {"dispute_fees_are_posted": 1}


def test_check_ledger_finds_a_fee_posted_to_another_gateway(paid: Payment) -> None:
    dispute, now = told(paid, DisputeState.OPEN), timezone.now()
    plant(DISPUTE, f"UPDATE {DISPUTE} SET fee = 1500, fee_changes = 1, fee_currency = 'RUB'")
    key = f"fee:{dispute.public_id}:1"
    ledger.post([ledger.Entry(key, "gateway_fees", "gateway_clearing:stripe", 15_00, "RUB", "fee", now)])
    assert found() == {"dispute_fees_are_posted": 1}


class TestStripe:
    """Stripe's own reports, from its fake over HTTP."""

    @pytest.fixture
    def visitor(self, settings: Any) -> Iterator[StripeVisitor]:
        settings.PAYMENT_GATEWAYS = ["stripe"]
        with stripe_visitor.visit(settings) as visitor:
            yield visitor

    @pytest.mark.parametrize(
        ("status", "returns_fee", "kept"), [("won", True, 0), ("won", False, 15_00), ("lost", False, 15_00)]
    )
    def test_clearing_comes_back_to_zero(
        self, visitor: StripeVisitor, alice: User, status: str, returns_fee: bool, kept: int
    ) -> None:
        payment = start(alice, amount=1000_00, currency="RUB", gateway="stripe")
        visitor.pay(payment.gateway_id or "")
        confirmation.confirm(payment.pk, now=timezone.now())
        name = visitor.open_dispute(payment.gateway_id or "")
        assert disputes.refresh("stripe", name, now=timezone.now()).fee == 15_00
        visitor.fake.account.close_dispute(name, status=status, returns_fee=returns_fee)
        assert disputes.refresh("stripe", name, now=timezone.now()).fee == kept
        visitor.fake.account.pay_out("rub")
        later = timezone.now() + timedelta(seconds=5)
        [result] = comparison.compare_all(now=later, only="stripe")
        assert (result.found, result.report.payouts_posted) == ([], 1)
        assert (owed(), found()) == ({"RUB": 0}, {})

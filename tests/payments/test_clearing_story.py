"""A week with the sandbox: payments, a partial refund, a dispute, fees and payouts bring clearing back to zero."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from payments import ageing, comparison, confirmation, disputes, payouts, refunds
from payments.gateways.aftermath import PayoutSnapshot
from payments.gateways.sandbox import disputes as bank
from payments.gateways.sandbox import outcomes, sessions
from payments.models import GatewayReport, Payment, Payout
from tests.ledger.conftest import balance_of
from tests.ledger.snapshot import found
from tests.payments.checkouts import start
from tests.payments.rows import balance

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


def pay(customer: User, amount: int, outcome: str = "succeeds") -> Payment:
    """Let the customer pay at the gateway; we hear of it unless the webhook was lost."""
    payment = start(customer, amount=amount, currency="RUB")
    choice, open_ = outcomes.ON_THE_PAGE[outcome], sessions.Status.OPEN
    sessions.choose(payment.gateway_id or "", choice, expected=open_, now=timezone.now())
    return payment if outcome == "webhook_lost" else confirmation.confirm(payment.pk, now=timezone.now())


def compare(clock: time_machine.Traveller) -> GatewayReport:
    """Compare a minute later: what is made at this instant belongs to the next comparison."""
    clock.shift(timedelta(minutes=1))
    [result] = comparison.compare_all(now=timezone.now())
    assert result.report.is_complete
    return result.report


def clearing() -> ageing.Ageing:
    [account] = ageing.ageing(now=timezone.now())
    return account


def test_clearing_comes_back_to_zero(clock: time_machine.Traveller, alice: User, mallory: User):
    # Monday: 1000.00 and 500.00 come in. Fees of 2.9 %: 29.00 and 14.50, so 1456.50 is paid out at midnight.
    first = pay(alice, 1000_00)
    pay(alice, 500_00, "webhook_lost")
    compare(clock)
    assert (balance(alice), clearing().balance.amount) == (1500_00, 1456_50)

    # Tuesday: 300.00 goes back, 2000.00 less 58.00 comes in: 1642.00 is paid out.
    clock.shift(timedelta(days=1))
    refunds.issue(first, now=timezone.now(), amount=300_00)
    disputed = pay(mallory, 2000_00)
    report = compare(clock)
    assert (report.payouts_posted, Payout.objects.get().amount, clearing().balance.amount) == (1, 1456_50, 1642_00)

    # Wednesday: the bank takes the 2000.00 back; 3000.00 less 87.00 comes in: 913.00 is paid out.
    clock.shift(timedelta(days=1))
    dispute = bank.open_dispute(disputed.gateway_id or "", now=timezone.now())
    assert dispute is not None
    disputes.refresh("sandbox", dispute.dispute_id, now=timezone.now())
    pay(alice, 3000_00)
    compare(clock)
    assert (balance(mallory), clearing().balance.amount) == (0, 913_00)

    # Thursday: the dispute is won, so 2000.00 more is paid out.
    clock.shift(timedelta(days=1))
    bank.decide(dispute.dispute_id, bank.Status.WON, at=timezone.now(), now=timezone.now())
    disputes.refresh("sandbox", dispute.dispute_id, now=timezone.now())
    compare(clock)
    assert (balance(mallory), clearing().amounts) == (2000_00, (2000_00, 0, 0, 0))

    # Friday: all of it has arrived.
    clock.shift(timedelta(days=1))
    assert (compare(clock).payouts_posted, compare(clock).payouts_posted) == (1, 0)
    account = clearing()
    assert (account.balance.amount, account.amounts, account.oldest) == (0, (0, 0, 0, 0), ())
    # 1000 + 500 + 2000 + 3000 - 300 = 6200.00, of which the fees are 29 + 14.50 + 58 + 87 = 188.50.
    assert (balance_of("bank"), balance_of("gateway_fees")) == (-6011_50, -188_50)
    assert sum(payout.amount for payout in Payout.objects.all()) == 6011_50
    assert GatewayReport.objects.filter(left=0).count() == 6
    assert found() == {}


def test_a_refund_made_at_the_gateway_by_hand_grows_old_in_clearing(clock: time_machine.Traveller, alice: User):
    pay(alice, 1000_00)
    # 300.00 was given back on the gateway's own pages, so it pays out 671.00 instead of 971.00.
    clock.shift(timedelta(days=9))
    sent = PayoutSnapshot(gateway_id="po_1", amount=671_00, currency="RUB", arrived_at=timezone.now())
    payouts.record("sandbox", sent, now=timezone.now())
    assert clearing().amounts == (0, 0, 300_00, 0)

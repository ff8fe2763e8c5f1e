"""Comparisons and payouts at the same time, over real connections, post everything once."""

from functools import partial

import pytest
from django.utils import timezone

from accounts.models import User
from ledger.models import Transaction
from payments import checkout, comparison, payouts, transitions
from payments.gateways.aftermath import PayoutSnapshot
from payments.gateways.sandbox import outcomes, sessions
from payments.gateways.sandbox.gateway import Sandbox
from payments.models import Payout
from tests.concurrency.sessions import at_once
from tests.ledger.snapshot import found
from tests.payments.rows import balance

pytestmark = pytest.mark.django_db(transaction=True)


def sent(number: int = 1, *, is_paid: bool = True) -> PayoutSnapshot:
    return PayoutSnapshot(
        gateway_id=f"po_{number}", amount=100_00, currency="RUB", arrived_at=timezone.now(), is_paid=is_paid
    )


def test_a_payout_is_posted_and_reversed_once() -> None:
    for number in range(5):
        for is_paid in (True, False):
            news = at_once([partial(payouts.record, "sandbox", sent(number, is_paid=is_paid), now=timezone.now())] * 6)
            assert sorted(is_news for _, is_news in news) == [False] * 5 + [True]
    assert Transaction.objects.filter(reason="payout").count() == 10
    assert found() == {}


def test_comparisons_at_once_mend_once(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    missed, without_fee = (
        checkout.start(alice, now=now, amount=amount, currency="RUB") for amount in (1000_00, 500_00)
    )
    for payment in (missed, without_fee):
        choice = outcomes.ON_THE_PAGE["webhook_lost"]
        sessions.choose(payment.gateway_id or "", choice, expected=sessions.Status.OPEN, now=now)
    transitions.credit(without_fee, without_fee.money, now=now)
    monkeypatch.setattr(Sandbox, "list_payouts", lambda self, **span: iter([sent()]))
    results = at_once([partial(comparison.compare_all, now=timezone.now())] * 4)
    assert [run.left for [run] in results] == [[], [], [], []]
    assert sum(run.report.payouts_posted for [run] in results) == 1
    # Fees of 2.9 %: 29.00 and 14.50.
    fees = Transaction.objects.filter(reason="fee").values_list("amount", flat=True)
    assert (balance(alice), sorted(fees), Payout.objects.count()) == (1500_00, [14_50, 29_00], 1)
    assert found() == {}

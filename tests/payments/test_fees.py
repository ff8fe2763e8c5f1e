"""Fees: in the currency of the seller's account, and of payments that were sent back. Clearing comes back to zero."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from ledger.models import Transaction
from ledger.money import Money
from payments import ageing, confirmation, mismatches, payouts
from payments.gateways.aftermath import PayoutSnapshot
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sessions import Snapshot, State
from payments.models import Payment
from tests.ledger.snapshot import found
from tests.payments.checkouts import start
from tests.payments.comparisons import run
from tests.payments.rows import balance

pytestmark = pytest.mark.django_db
Choose = Callable[..., Any]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    """Start at noon: at midnight the sandbox pays out what it owes."""
    with time_machine.travel(datetime(2026, 11, 2, 12, tzinfo=UTC)):
        yield


@pytest.fixture
def opened(alice: User) -> Payment:
    """A top-up of 1000.00 roubles whose page is open. The sandbox keeps 2.9 %."""
    return start(alice, amount=1000_00, currency="RUB")


@pytest.fixture
def in_euros(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seller's account at the gateway is in euros: it keeps 0.30 EUR of each payment."""
    plain = Sandbox.fetch

    def fetch(self: Sandbox, gateway_id: str) -> Snapshot:
        snapshot = plain(self, gateway_id)
        return replace(snapshot, fee=30, fee_currency="EUR") if snapshot.fee else snapshot

    monkeypatch.setattr(Sandbox, "fetch", fetch)


def fees() -> list[tuple[int, str]]:
    return list(Transaction.objects.filter(reason="fee").values_list("amount", "currency"))


def owed() -> dict[str, int]:
    """Return what the sandbox owes us by currency, in minor units."""
    return {each.balance.currency: each.balance.amount for each in ageing.ageing(now=timezone.now())}


def pay_out(amount: int, currency: str) -> None:
    now = timezone.now()
    theirs = PayoutSnapshot(gateway_id="po", amount=amount, currency=currency, arrived_at=now)
    payouts.record("sandbox", theirs, now=now)


@pytest.mark.parametrize(
    ("fee", "currency"), [(-1, "RUB"), (1.5, "RUB"), (2**63, "RUB"), (10**12 + 1, "RUB"), (29_00, "XXX"), (29_00, "")]
)
def test_a_fee_without_sense_stops_no_credit_and_is_posted_once_it_makes_sense(
    opened: Payment, alice: User, fee: Any, currency: str
) -> None:
    answer = Snapshot(
        gateway_id=opened.gateway_id or "", state=State.SUCCEEDED, amount=1000_00, currency="RUB", fee=fee,
        fee_currency=currency,
    )  # fmt: skip
    payment = confirmation.apply(opened.pk, answer, now=timezone.now())
    assert (payment.status, balance(alice), payment.fee, fees()) == ("confirmed", 1000_00, None, [])
    confirmation.apply(opened.pk, replace(answer, fee=29_00, fee_currency="RUB"), now=timezone.now())
    assert (fees(), found()) == ([(29_00, "RUB")], {})


def test_a_fee_is_posted_in_its_own_currency_once(opened: Payment, choose: Choose, in_euros: None) -> None:
    choose(opened, "succeeds")
    for _ in range(2):
        payment = confirmation.refresh(opened.pk, now=timezone.now())
    assert (payment.fee, payment.fee_currency, fees()) == (30, "EUR", [(30, "EUR")])
    assert found() == {}


def test_clearing_names_what_was_changed_into_another_currency(opened: Payment, choose: Choose, in_euros: None) -> None:
    """1000.00 RUB became 10.00 EUR at the gateway, which keeps 0.30 and pays out 9.70: 1000 RUB and -10 EUR stay."""
    choose(opened, "succeeds")
    confirmation.confirm(opened.pk, now=timezone.now())
    pay_out(9_70, "EUR")
    assert owed() == {"EUR": -10_00, "RUB": 1000_00}
    assert ageing.exchanged() == [ageing.Exchange("sandbox", Money(1000_00, "RUB"), "EUR", 1)]
    named = {row.name for account in ageing.ageing(now=timezone.now()) for row in account.oldest}
    assert opened.public_id in named
    output = StringIO()
    call_command("clearing", stdout=output)
    said = " ".join(output.getvalue().split())
    assert "sandbox: 1000.00 RUB of 1 payments was changed into EUR and paid out in it." in said
    assert found() == {}


def test_the_comparison_agrees_with_a_fee_in_another_currency(
    opened: Payment, choose: Choose, in_euros: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(opened, "succeeds")
    confirmation.confirm(opened.pk, now=timezone.now())
    plain = Sandbox.list_payments

    def listed(self: Sandbox, **span: Any) -> Any:
        for snapshot in plain(self, **span):
            yield replace(snapshot, fee=30, fee_currency="EUR")

    monkeypatch.setattr(Sandbox, "list_payments", listed)
    assert run().found == []


def test_a_fee_in_a_currency_that_we_do_not_know_is_not_posted(
    opened: Payment, choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(opened, "succeeds")
    plain = Sandbox.fetch
    monkeypatch.setattr(Sandbox, "fetch", lambda self, name: replace(plain(self, name), fee=30, fee_currency="XXX"))
    payment = confirmation.confirm(opened.pk, now=timezone.now())
    assert (payment.status, payment.fee, payment.fee_currency, fees()) == ("confirmed", None, "", [])


def test_the_fee_of_a_payment_that_was_sent_back_is_posted_once(opened: Payment, choose: Choose, staff: User) -> None:
    """500.00 of 1000.00 were taken and sent back; the gateway keeps 2.9 % of 500.00 and takes 14.50 from the bank."""
    choose(opened, "wrong_amount")
    parked = confirmation.confirm(opened.pk, now=timezone.now())
    assert (parked.status, parked.fee, fees()) == ("unknown", 14_50, [(14_50, "RUB")])
    mismatches.send_back(parked, author=staff, now=timezone.now())
    payment = confirmation.refresh(opened.pk, now=timezone.now())
    assert (payment.status, payment.parked_reason, fees()) == ("cancelled", "", [(14_50, "RUB")])
    assert owed() == {"RUB": -14_50}
    pay_out(-14_50, "RUB")
    assert (owed(), run().found, found()) == ({"RUB": 0}, [], {})


def test_the_fee_of_an_accepted_payment_is_posted_once(opened: Payment, choose: Choose, staff: User) -> None:
    choose(opened, "wrong_amount")
    parked = confirmation.confirm(opened.pk, now=timezone.now())
    mismatches.accept(parked, author=staff, now=timezone.now())
    assert (run().report.fees_posted, fees(), owed()) == (0, [(14_50, "RUB")], {"RUB": 500_00 - 14_50})
    assert found() == {}


def test_a_fee_that_is_known_after_the_money_went_back_is_posted(
    opened: Payment, choose: Choose, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(opened, "wrong_amount")
    with monkeypatch.context() as patch:
        plain = Sandbox.fetch
        patch.setattr(Sandbox, "fetch", lambda self, name: replace(plain(self, name), fee=None, fee_currency=""))
        parked = confirmation.confirm(opened.pk, now=timezone.now())
        mismatches.send_back(parked, author=staff, now=timezone.now())
    assert fees() == []
    assert [run().report.fees_posted, run().report.fees_posted] == [1, 0]
    assert (fees(), found()) == ([(14_50, "RUB")], {})

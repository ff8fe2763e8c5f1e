"""Refunds, disputes and the exits of parked payments at the same time: nothing is paid out twice."""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from core.errors import DomainError
from events.models import Event
from payments import checkout, confirmation, disputes, gateway_refunds, mismatches, reconciliation, refunds
from payments.gateways.aftermath import DisputeSnapshot, DisputeState
from payments.gateways.sandbox import outcomes, sessions
from payments.gateways.sandbox import refunds as sandbox_refunds
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxRefund, SandboxSession
from payments.models import Payment, Refund
from subscriptions import books
from tests.concurrency import top_ups
from tests.concurrency.sessions import at_once, in_turns
from tests.ledger.snapshot import found
from tests.payments.rows import balance

pytestmark = pytest.mark.django_db(transaction=True)

# How often each important race is run.
RACES = 500


def paid(customer: User, outcome: str = "succeeds") -> Payment:
    """Return a top-up of 100.00 roubles that was paid at the sandbox."""
    now = timezone.now()
    payment = checkout.start(customer, now=now, amount=100_00, currency="RUB")
    chosen = outcomes.ON_THE_PAGE[outcome]
    sessions.choose(payment.gateway_id or "", chosen, expected=sessions.Status.OPEN, now=now)
    return confirmation.confirm(payment.pk, now=now)


def tried(job: Callable[..., Any], *args: Any, **named: Any) -> Callable[[], Any]:
    """Return a job that returns a DomainError instead of raising it."""

    def run() -> Any:
        try:
            return job(*args, **named, now=timezone.now())
        except DomainError as error:
            return error

    return run


def refunded_at_gateway() -> dict[str | None, list[int]]:
    """Return the refunds of each session at the sandbox, in kopecks."""
    made: dict[str | None, list[int]] = defaultdict(list)
    for row in SandboxRefund.objects.select_related("session"):
        made[row.session.session_id].append(row.amount)
    return made


def at_gateway() -> int:
    """Return what the sandbox has refunded, in kopecks."""
    return sum(row.amount for row in SandboxRefund.objects.all())


def test_two_members_of_staff_who_see_the_same_refund_once(alice: User) -> None:
    for turn in range(1, 11):
        payment = paid(alice)
        answers = at_once([tried(refunds.issue, payment, amount=40_00, seen=0) for _ in range(2)])
        assert sorted(type(answer).__name__ for answer in answers) == ["Refund", "RefundChanged"]
        assert (at_gateway(), balance(alice)) == (40_00 * turn, 60_00 * turn)


def test_four_refunds_of_sixty_of_a_hundred_at_once_are_one(alice: User) -> None:
    for turn in range(1, 11):
        payment = paid(alice)
        answers = at_once([tried(refunds.issue, payment, amount=60_00) for _ in range(4)])
        made = [answer for answer in answers if isinstance(answer, Refund)]
        assert len(made) == 1, answers
        assert {answer.code for answer in answers if isinstance(answer, DomainError)} == {"refund_refused"}
        assert (at_gateway(), balance(alice)) == (60_00 * turn, 40_00 * turn)
    assert found() == {}


@pytest.mark.timeout(900)
def test_of_two_refunds_of_sixty_of_a_hundred_one_is_made_in_500_races(alice: User) -> None:
    now = timezone.now()
    payments = top_ups.confirmed(alice, RACES, now=now)

    def issue(turn: int) -> Any:
        return tried(refunds.issue, payments[turn], amount=60_00)()

    for answers in in_turns(RACES, [issue] * 2):
        assert sum(isinstance(answer, Refund) for answer in answers) == 1, answers
        assert {answer.code for answer in answers if isinstance(answer, DomainError)} == {"refund_refused"}
    assert refunded_at_gateway() == {payment.gateway_id: [60_00] for payment in payments}
    # Of 500 times 100.00, 40.00 are left.
    assert balance(alice) == RACES * 40_00
    assert found() == {}


def test_the_same_refund_pressed_eight_times_at_once_is_one(alice: User) -> None:
    payment = paid(alice)
    answers = at_once([tried(refunds.issue, payment, amount=30_00, idempotency_key="click") for _ in range(8)])
    assert {answer.pk for answer in answers} == {Refund.objects.get().pk}
    assert (at_gateway(), balance(alice)) == (30_00, 70_00)


@pytest.mark.timeout(900)
def test_a_refund_that_is_asked_for_while_the_sweep_runs_is_made_once_in_500_races(alice: User) -> None:
    """The gateway has not answered yet when the sweep finds the refund due."""
    now = timezone.now()
    payments = top_ups.confirmed(alice, RACES, now=now)

    def press(turn: int) -> Any:
        return refunds.issue(payments[turn], now=now, amount=30_00, idempotency_key="click")

    def ask(turn: int) -> int:
        return reconciliation.check_gateway("sandbox", now=now + timedelta(seconds=31))

    in_turns(RACES, [press, ask])
    assert refunded_at_gateway() == {payment.gateway_id: [30_00] for payment in payments}
    assert set(Refund.objects.values_list("status", "amount")) == {("succeeded", 30_00)}
    assert (Refund.objects.count(), balance(alice)) == (RACES, RACES * 70_00)
    told = list(Event.objects.filter(type="refund.succeeded").values_list("subject", flat=True))
    assert sorted(told) == sorted(Refund.objects.values_list("public_id", flat=True))
    assert found() == {}


@pytest.mark.timeout(900)
def test_a_refund_and_a_dispute_never_both_pay_out_in_500_races(alice: User) -> None:
    now = timezone.now()
    payments = top_ups.confirmed(alice, RACES, now=now)
    # Enough for a refund and a dispute of each payment.
    with books.open(alice, "RUB", now=now) as book:
        book.top_up(RACES * 100_00, key="more", source="adjustments", reason="adjustment")

    def dispute(turn: int) -> Any:
        lost = DisputeSnapshot(
            gateway_id=f"dp_{turn}", payment=str(payments[turn].gateway_id), state=DisputeState.LOST, amount=100_00,
            currency="RUB",
        )  # fmt: skip
        return tried(partial(disputes.apply, "sandbox", lost))()

    results = in_turns(RACES, [lambda turn: tried(refunds.issue, payments[turn])(), dispute])
    assert {disputed.status for _, disputed in results} == {"lost"}
    # Either the refund came first, and the bank takes the same sum from what else there is; or it is refused.
    first = sum(isinstance(refund, Refund) for refund, _ in results)
    assert {refund.code for refund, _ in results if isinstance(refund, DomainError)} <= {"refund_refused"}
    assert 0 < first < RACES
    assert at_gateway() == first * 100_00
    assert balance(alice) == (RACES - first) * 100_00
    assert found() == {}


def test_a_refund_and_a_dispute_at_once_leave_a_debt_at_most_once(alice: User) -> None:
    for turn in range(8):
        payment = paid(alice)
        before = balance(alice)
        assert payment.gateway_id
        lost = DisputeSnapshot(
            gateway_id=f"dp_{turn}", payment=payment.gateway_id, state=DisputeState.LOST, amount=100_00, currency="RUB"
        )
        jobs = [tried(refunds.issue, payment), tried(partial(disputes.apply, "sandbox", lost))]
        refund, dispute = at_once(jobs)
        assert dispute.status == "lost"
        # Either the refund came first, and the bank has taken the rest from what else there was or as a debt.
        was_refunded = isinstance(refund, Refund)
        with books.open(alice, "RUB", now=timezone.now()) as book:
            left = book.balance - book.item.book.debt
        assert left == before - 100_00 - (100_00 if was_refunded else 0)
    assert found() == {}


def test_a_refund_and_a_withdrawal_at_once_leave_no_negative_wallet(alice: User) -> None:
    payment = paid(alice)

    def withdraw(*, now: Any) -> str:
        with books.open(alice, "RUB", now=now) as book:
            book.withdraw(70_00, key="withdrawal", to="adjustments", reason="adjustment")
        return "done"

    answers = at_once([tried(refunds.issue, payment, amount=60_00), tried(withdraw)])
    assert sum(isinstance(answer, DomainError) for answer in answers) == 1
    assert balance(alice) in (40_00, 30_00)
    assert found() == {}


def test_a_parked_payment_takes_one_of_its_exits(alice: User, staff: User) -> None:
    for _ in range(4):
        payment = paid(alice, "wrong_amount")
        before = balance(alice)
        jobs = [
            tried(exit_, payment, author=staff) for exit_ in (mismatches.accept, mismatches.send_back) for _ in range(3)
        ]
        answers = at_once(jobs)
        assert sum(not isinstance(answer, DomainError) for answer in answers) == 1
        payment.refresh_from_db()
        assert (payment.status, balance(alice) - before) in (("confirmed", 50_00), ("cancelled", 0))
    assert found() == {}


def test_many_sweeps_at_once_ask_about_each_refund_once(alice: User) -> None:
    payment = paid(alice, "refund_fails")
    refund = refunds.issue(payment, now=timezone.now())
    assert refund.status == "pending"
    SandboxRefund.objects.update(settles_at=timezone.now())
    later = timezone.now() + timedelta(minutes=3)
    handled = at_once([partial(reconciliation.check_all, now=later) for _ in range(6)])
    assert sum(handled) == 1
    refund.refresh_from_db()
    assert (refund.status, balance(alice)) == ("failed", 100_00)
    assert found() == {}


def test_a_refund_made_at_the_gateway_is_recorded_once_by_eight_webhooks(alice: User) -> None:
    payment = paid(alice)
    theirs = sandbox_refunds.by_hand(SandboxSession.objects.get(), now=timezone.now())
    snapshot = Sandbox().fetch_refund(theirs.refund_id)
    record = partial(gateway_refunds.record, "sandbox", snapshot, now=timezone.now())
    answers = at_once([record for _ in range(8)])
    assert {answer.pk for answer in answers if answer} == {Refund.objects.get().pk}
    payment.refresh_from_db()
    assert (balance(alice), payment.refundable, found()) == (0, 0, {})


def test_a_refund_of_ours_and_one_made_at_the_gateway_at_once_are_two(alice: User) -> None:
    """60.00 by hand and 30.00 by us, of 100.00: in either order 90.00 are refunded and leave the wallet."""
    for turn in range(5):
        payment = paid(alice)
        by_hand = SandboxRefund(
            session=SandboxSession.objects.get(session_id=payment.gateway_id), idempotency_key=f"hand_{turn}",
            amount=60_00, created_at=timezone.now(), settles_as="succeeded", settles_at=timezone.now(),
        )  # fmt: skip

        def made_by_hand(by_hand: SandboxRefund = by_hand) -> object:
            by_hand.save()
            snapshot = Sandbox().fetch_refund(by_hand.refund_id)
            try:
                return gateway_refunds.record("sandbox", snapshot, now=timezone.now())
            except gateway_refunds.NotRecorded as error:
                return error

        answers = at_once([made_by_hand, tried(refunds.issue, payment, amount=30_00)])
        payment.refresh_from_db()
        recorded = Refund.objects.filter(payment=payment).exclude(status="failed")
        assert payment.amount_refunded == sum(row.amount for row in recorded) == 90_00, answers
    assert found() == {}

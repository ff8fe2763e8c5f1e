"""Refunds, disputes and kept cards of the sandbox: by the outcome picked, and by click on the tester's page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from payments.gateways.aftermath import DisputeState, RefundRequest, RefundSnapshot, RefundState
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox import outcomes, sessions
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxDelivery, SandboxDispute, SandboxMethod
from tests.payments.gateways.requests import session_request

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def paid(outcome: str = "succeeds", **more: Any) -> str:
    """Pay 1,342.00 roubles with an outcome and return the session's id."""
    gateway_id = Sandbox().create_session(session_request(**{"language": "en"} | more)).gateway_id
    chosen = outcomes.ON_THE_PAGE[outcome]
    assert sessions.choose(gateway_id, chosen, expected=sessions.Status.OPEN, now=datetime.now(UTC))
    return gateway_id


def refund(gateway_id: str, amount: int = 1342_00, key: str = "ref_1") -> RefundSnapshot:
    return Sandbox().refund(RefundRequest(idempotency_key=key, gateway_id=gateway_id, amount=amount, currency="RUB"))


def due(now: datetime) -> list[str]:
    """Return the types of the webhooks due until now, in order."""
    rows = SandboxDelivery.objects.filter(next_try_at__lte=now).order_by("next_try_at", "id")
    return list(rows.values_list("type", flat=True))


def act(client: Client, gateway_id: str, action: str, object_id: str = "") -> str:
    """Click a button on the tester's page and return the page."""
    answer = client.post(f"/sandbox/payments/{gateway_id}/", {"action": action, "object": object_id}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_refund_succeeds_at_once_and_says_so(clock: Any) -> None:
    assert refund(paid()).state is RefundState.SUCCEEDED
    assert due(START) == ["session.succeeded", "refund.succeeded"]


@pytest.mark.parametrize(
    ("outcome", "ends_as", "code"),
    [("refund_waits", RefundState.SUCCEEDED, ""), ("refund_fails", RefundState.FAILED, "card_closed")],
)
def test_a_refund_that_waits_is_decided_after_a_minute(clock: Any, outcome: str, ends_as: str, code: str) -> None:
    made = refund(paid(outcome))
    assert (made.state, due(START)) == (RefundState.PENDING, ["session.succeeded", "refund.pending"])
    clock.move_to(START + timedelta(seconds=59))
    assert Sandbox().fetch_refund(made.gateway_id).state is RefundState.PENDING
    clock.move_to(START + timedelta(seconds=60))
    done = Sandbox().fetch_refund(made.gateway_id)
    assert (done.state, done.failure_code) == (ends_as, code)
    assert due(START + timedelta(seconds=60))[2:] == [f"refund.{ends_as}"]


def test_the_money_of_a_failed_refund_can_be_refunded_again(clock: Any) -> None:
    gateway_id = paid("refund_fails")
    refund(gateway_id)
    with pytest.raises(GatewayError, match="More than is left"):
        refund(gateway_id, key="ref_2")
    clock.shift(60)
    assert refund(gateway_id, key="ref_2").state is RefundState.PENDING


def test_a_refund_without_an_answer_is_found_again_and_made_once(clock: Any) -> None:
    gateway_id = paid("refund_times_out")
    request = RefundRequest(idempotency_key="ref_1", gateway_id=gateway_id, amount=1342_00, currency="RUB")
    assert Sandbox().find_refund(request) is None
    with pytest.raises(GatewayError) as caught:
        Sandbox().refund(request)
    assert not caught.value.permanent
    assert Sandbox().refund(request) == Sandbox().find_refund(request)


@pytest.mark.parametrize(("outcome", "ends_as"), [("dispute_won", "won"), ("dispute_lost", "lost")])
def test_a_dispute_opens_after_20_seconds_and_ends_a_minute_later(clock: Any, outcome: str, ends_as: str) -> None:
    paid(outcome)
    dispute = SandboxDispute.objects.get()
    with pytest.raises(GatewayError):
        Sandbox().fetch_dispute(dispute.dispute_id)
    clock.move_to(START + timedelta(seconds=20))
    opened = Sandbox().fetch_dispute(dispute.dispute_id)
    assert (opened.state, opened.amount, opened.currency) == (DisputeState.OPEN, 1342_00, "RUB")
    clock.move_to(START + timedelta(seconds=80))
    assert Sandbox().fetch_dispute(dispute.dispute_id).state == ends_as
    assert due(START + timedelta(seconds=80))[1:] == ["dispute.open", f"dispute.{ends_as}"]


def test_a_dispute_that_stays_open_waits_for_the_tester(clock: Any, client: Client) -> None:
    gateway_id = paid("dispute_open")
    dispute_id = SandboxDispute.objects.get().dispute_id
    clock.shift(timedelta(days=30))
    assert Sandbox().fetch_dispute(dispute_id).state is DisputeState.OPEN
    assert "Dispute won by the seller" in act(client, gateway_id, "win_dispute", dispute_id)
    assert Sandbox().fetch_dispute(dispute_id).state is DisputeState.WON


def test_a_tester_disputes_what_is_left_and_the_seller_loses(clock: Any, client: Client) -> None:
    gateway_id = paid()
    refund(gateway_id, amount=342_00)
    page = act(client, gateway_id, "open_dispute")
    dispute = SandboxDispute.objects.get()
    # 342.00 of 1342.00 were refunded.
    assert dispute.amount == 1000_00
    assert "Dispute is open" in page
    # Nothing is left to refund or to dispute.
    with pytest.raises(GatewayError):
        refund(gateway_id, amount=1, key="ref_2")
    act(client, gateway_id, "open_dispute")
    assert SandboxDispute.objects.count() == 1
    assert "Dispute lost by the seller" in act(client, gateway_id, "lose_dispute", dispute.dispute_id)
    # A decision is final.
    act(client, gateway_id, "win_dispute", dispute.dispute_id)
    assert Sandbox().fetch_dispute(dispute.dispute_id).state is DisputeState.LOST
    assert due(START)[2:] == ["dispute.open", "dispute.lost"]


@pytest.mark.parametrize(
    ("action", "state"), [("succeed_refund", RefundState.SUCCEEDED), ("fail_refund", RefundState.FAILED)]
)
def test_a_tester_decides_a_pending_refund(clock: Any, client: Client, action: str, state: RefundState) -> None:
    gateway_id = paid("refund_waits")
    made = refund(gateway_id)
    assert "Refund in progress" in client.get(f"/sandbox/payments/{gateway_id}/").content.decode()
    act(client, gateway_id, action, made.gateway_id)
    assert Sandbox().fetch_refund(made.gateway_id).state is state
    # The decision that was planned is not told any more.
    assert due(START + timedelta(days=1))[1:] == ["refund.pending", f"refund.{state}"]


def test_a_kept_card_is_shown_and_can_be_forgotten(clock: Any, client: Client) -> None:
    gateway_id = paid(save_method=True, customer="usr_alice")
    method = Sandbox().fetch(gateway_id).method
    assert method is not None
    assert (method.brand, method.last4, method.owner, method.is_kept) == ("Visa", "4242", "usr_alice", True)
    assert "The card is not kept any more" in act(client, gateway_id, "forget_card", method.gateway_id)
    assert not Sandbox().fetch_method(method.gateway_id).is_kept
    assert due(START)[1:] == ["method.removed"]


def test_a_declined_card_is_not_kept(clock: Any) -> None:
    paid("insufficient_funds", save_method=True)
    assert not SandboxMethod.objects.exists()


def test_nothing_can_be_done_with_objects_of_another_payment(clock: Any, client: Client) -> None:
    gateway_id, other = paid("refund_waits"), paid(idempotency_key="pay_2")
    made = refund(gateway_id)
    for action in ("fail_refund", "win_dispute", "forget_card", "nonsense", ""):
        act(client, other, action, made.gateway_id)
    assert Sandbox().fetch_refund(made.gateway_id).state is RefundState.PENDING


def test_a_payment_without_money_cannot_be_disputed(clock: Any, client: Client) -> None:
    gateway_id = Sandbox().create_session(session_request(language="en")).gateway_id
    assert "No money has been taken here." in act(client, gateway_id, "open_dispute")
    assert not SandboxDispute.objects.exists()


def test_the_page_is_in_the_language_of_the_payment(clock: Any, client: Client) -> None:
    gateway_id = paid(language="ru")
    assert "Возвраты и споры" in client.get(f"/sandbox/payments/{gateway_id}/").content.decode()
    assert "Для тестировщика" in client.get(f"/sandbox/pay/{gateway_id}/").content.decode()


def test_a_payout_is_what_was_taken_less_fees_refunds_and_disputes(clock: Any) -> None:
    first = paid()
    paid("dispute_won", idempotency_key="pay_2")
    refund(first, amount=342_00)
    paid(idempotency_key="pay_3", currency="EUR", amount=100_00)
    clock.move_to(datetime(2026, 3, 3, tzinfo=UTC))
    arrived = list(Sandbox().list_payouts(since=START, until=START + timedelta(days=5)))
    # 2.9 % of 1342.00 are 38.918, so 38.92. Twice 1342.00 - 38.92, less 342.00; the won dispute changes nothing.
    # 100.00 less 2.90.
    assert [(payout.gateway_id, payout.amount, payout.currency) for payout in arrived] == [
        ("sbp_eur_20260302", 97_10, "EUR"),
        ("sbp_rub_20260302", 2264_16, "RUB"),
    ]
    assert {payout.arrived_at for payout in arrived} == {datetime(2026, 3, 2, tzinfo=UTC)}


def test_what_is_owed_to_the_gateway_is_set_off_against_the_next_payout(clock: Any) -> None:
    first = paid()
    clock.move_to(START + timedelta(days=1))
    refund(first)
    clock.move_to(START + timedelta(days=2))
    paid(idempotency_key="pay_2", amount=2000_00)
    clock.move_to(START + timedelta(days=10))
    arrived = list(Sandbox().list_payouts(since=START, until=START + timedelta(days=10)))
    # 1342.00 - 38.92 on 2 March; then 2000.00 - 58.00 - 1342.00 on 4 March.
    assert [(payout.arrived_at.day, payout.amount) for payout in arrived] == [(2, 1303_08), (4, 600_00)]

"""What customers and staff change in the very moment in which a wallet is looked at or charged.

A server costs 3.60 roubles an hour, a plan 990.00 a month. The story begins at noon on Monday, 2 March 2026.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from ledger.models import Account
from payments import reconciliation, sweeps
from payments.collection import attempts, consents, decisions, plans, states, top_ups
from payments.gateways.errors import GatewayError
from payments.gateways.sandbox import methods
from payments.gateways.sandbox.gateway import Sandbox
from payments.gateways.sandbox.models import SandboxSession
from payments.models import (
    AutoTopUp,
    Collection,
    CollectionDecision,
    CollectionPlan,
    Consent,
    Payment,
    PaymentMethod,
)
from subscriptions import closure
from subscriptions.models import Subscription
from tests.payments.collection.story import ADDRESS, AHEAD, Story
from tests.subscriptions.bank import people
from tests.subscriptions.shop import pay_in

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
# 136.00 roubles are at the threshold of 100.00 after ten hours.
CROSSING = NOON + timedelta(hours=10)


def turn_on(story: Story, **rule: Any) -> AutoTopUp:
    rule = {"threshold": 100_00, "amount": 500_00, "cap": 5000_00} | rule
    rule = {name: value for name, value in rule.items() if value is not None}
    return top_ups.turn_on(story.card, "RUB", address=ADDRESS, now=story.now, **rule)


@pytest.fixture
def server(story: Story, hourly: Any) -> Subscription:
    """A running server and 136.00 roubles: 36.00 above the threshold last ten hours."""
    story.top_up(136_00)
    with story.book() as book:
        return book.subscribe(hourly)


@pytest.fixture
def due(story: Story) -> Story:
    """A renewal that is to be charged now."""
    story.buy()
    story.agree()
    story.run()
    story.travel(AHEAD)
    return story


@pytest.fixture
def before_the_call(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return a function that has something happen between the commit of the next attempt and the gateway's call."""

    def arrange(act: Callable[[], object]) -> None:
        send = attempts.send

        def meanwhile(payment: Payment, *, now: datetime) -> Payment:
            monkeypatch.setattr(attempts, "send", send)
            act()
            return send(payment, now=now)

        monkeypatch.setattr(attempts, "send", meanwhile)

    return arrange


@pytest.fixture
def during_the_call(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return a function that has something happen while the gateway is at work on the next charge."""

    def arrange(act: Callable[[], object]) -> None:
        charge = Sandbox.charge

        def meanwhile(gateway: Sandbox, request: Any) -> Any:
            monkeypatch.setattr(Sandbox, "charge", charge)
            act()
            return charge(gateway, request)

        monkeypatch.setattr(Sandbox, "charge", meanwhile)

    return arrange


def tried(story: Story) -> list[tuple[int, str, str]]:
    return [(each.amount, each.status, each.failure_code) for each in story.attempts]


def ends() -> list[tuple[str, str]]:
    return list(Collection.objects.order_by("id").values_list("status", "reason"))


def charges() -> int:
    return SandboxSession.objects.filter(charged__isnull=False).count()


def second_card(story: Story) -> PaymentMethod:
    """Return another card that the sandbox keeps for the customer."""
    story.top_up(100_00)
    return story.card


def test_a_rule_that_is_replaced_charges_by_the_new_numbers(
    story: Story, server: Subscription, before_the_call: Any
) -> None:
    turn_on(story, amount=500_00)
    story.travel(CROSSING)
    before_the_call(lambda: turn_on(story, amount=150_00, cap=200_00))
    story.run()
    assert tried(story) == [(500_00, "cancelled", "rule_ended"), (150_00, "confirmed", "")]
    assert (ends(), charges()) == ([("stopped", "rule_ended"), ("collected", "")], 1)


def test_a_confirmation_that_a_replaced_rule_waits_for_is_called_off(story: Story, server: Subscription) -> None:
    turn_on(story, amount=500_00)
    story.answer("bank_asks")
    story.travel(CROSSING)
    story.run()
    assert story.collection.status == "action_required"
    turn_on(story, amount=150_00)
    story.answer("succeeds")
    story.later(minutes=1)
    story.run()
    assert [each.status for each in story.attempts] == ["cancelled", "confirmed"]
    assert ends() == [("stopped", "rule_ended"), ("collected", "")]


def test_a_closed_account_is_not_charged(due: Story, before_the_call: Any) -> None:
    before_the_call(lambda: closure.close(due.customer, now=due.now))
    due.run()
    assert tried(due) == [(990_00, "cancelled", "account_closed")]
    assert (ends(), charges()) == ([("covered", "covered")], 0)


def test_what_staff_have_stopped_is_not_charged(due: Story, before_the_call: Any) -> None:
    stopped = Collection.Status.STOPPED

    def stop() -> None:
        states.end(due.collection.pk, stopped, states.STOPPED_BY_STAFF, now=due.now)

    before_the_call(stop)
    due.run()
    assert tried(due) == [(990_00, "cancelled", states.STOPPED_BY_STAFF)]
    assert (ends(), charges()) == ([("stopped", states.STOPPED_BY_STAFF)], 0)


def test_another_card_chosen_before_the_call_is_charged_instead(due: Story, before_the_call: Any) -> None:
    """The clock of the web process is a little behind the worker's."""

    def choose() -> None:
        # The book is not changed: the money of the top-up is taken out again.
        other = second_card(due)
        with due.book() as book:
            book.withdraw(100_00, key="test:out", to="adjustments", reason="adjustment")
        consents.agree_to_renewals(other, address=None, now=due.now - timedelta(milliseconds=100))

    first = due.card
    before_the_call(choose)
    due.run()
    assert tried(due) == [(990_00, "cancelled", "consent_withdrawn"), (990_00, "confirmed", "")]
    assert [each.method for each in due.attempts] == [first, due.card]
    assert (ends(), charges()) == ([("collected", "")], 1)


def test_another_card_chosen_at_the_decision_is_charged_instead(due: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for the lock of a consent finds it withdrawn, and does not see the one that was given with that."""
    lock = consents.lock

    def gone(*args: Any) -> None:
        monkeypatch.setattr(consents, "lock", lock)

    monkeypatch.setattr(consents, "lock", gone)
    due.run()
    assert (ends(), charges()) == ([("collected", "")], 1)


def test_a_consent_given_during_a_declined_charge_is_charged_once(due: Story, during_the_call: Any) -> None:
    """The call takes three seconds; a run has one instant for a wallet."""
    due.answer("insufficient_funds")
    during_the_call(lambda: consents.agree_to_renewals(due.card, address=None, now=due.now + timedelta(seconds=3)))
    due.run()
    # The first attempt, and one at once by the new consent. The next is a day after the first decline.
    assert tried(due) == [(990_00, "failed", "insufficient_funds")] * 2
    due.later(minutes=5)
    due.run()
    assert (charges(), due.collection.status, due.collection.declines) == (2, "waiting", 2)


def test_another_card_chosen_during_a_declined_charge_is_charged_at_once(due: Story, during_the_call: Any) -> None:
    other = second_card(due)
    with due.book() as book:
        book.withdraw(100_00, key="test:out", to="adjustments", reason="adjustment")
    first = PaymentMethod.objects.exclude(pk=other.pk).get()
    methods.answer(first.gateway_id, "insufficient_funds")
    during_the_call(lambda: consents.agree_to_renewals(other, address=None, now=due.now + timedelta(seconds=3)))
    due.run()
    assert tried(due) == [(990_00, "failed", "insufficient_funds"), (990_00, "confirmed", "")]
    assert ends() == [("collected", "")]


def test_a_method_that_cannot_be_charged_is_told_once_by_a_consent_of_a_clock_ahead(due: Story) -> None:
    card = due.card
    due.later(minutes=-1)
    due.agree()
    PaymentMethod.objects.filter(pk=card.pk).update(refused_at=due.now, refused_code="stolen_card")
    due.later(minutes=-4)
    CollectionPlan.objects.update(check_at=due.now)
    [plan] = CollectionPlan.objects.all()
    due.travel(AHEAD - timedelta(minutes=1))
    plans.review(plan, AHEAD)
    due.travel(AHEAD)
    due.run()
    assert (due.events().count("not_tried"), due.collection.declines) == (1, 1)


def test_a_consent_that_is_given_while_the_wallet_is_looked_at_is_seen(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.buy()
    story.agree()
    story.run()
    consents.withdraw(Consent.objects.get(), now=story.now)
    record = decisions.record

    def agree_at_the_end(plan: CollectionPlan, outcome: str, line: str, **more: Any) -> None:
        record(plan, outcome, line, **more)
        if outcome == "no_consent":
            monkeypatch.setattr(decisions, "record", record)
            story.agree()

    monkeypatch.setattr(decisions, "record", agree_at_the_end)
    story.later(minutes=1)
    story.run()
    story.later(minutes=1)
    story.run()
    assert CollectionPlan.objects.get().check_at == AHEAD


def test_a_gateway_out_of_reach_stops_no_rule(
    story: Story, server: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = turn_on(story)

    def silence(*_args: Any) -> Any:
        raise GatewayError("No answer.", permanent=False, code="timeout")

    story.travel(CROSSING)
    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "charge", silence)
        for _ in range(12):
            # The breaker would spare the gateway most of the calls.
            cache.clear()
            story.run()
            story.later(minutes=10)
    assert {each.failure_code for each in story.attempts} == {"not_made"}
    assert len(story.attempts) > top_ups.MOST_A_DAY
    story.later(minutes=10)
    cache.clear()
    story.run()
    rule.refresh_from_db()
    assert (rule.stopped_reason, story.attempts[-1].status, charges()) == ("", "confirmed", 1)


def test_keys_that_are_missing_for_an_hour_stop_no_rule(
    story: Story, server: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = turn_on(story)
    story.travel(CROSSING)
    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "is_configured", lambda gateway: False)
        story.run()
    rule.refresh_from_db()
    assert (rule.stopped_reason, story.attempts, ends()) == ("", [], [])
    story.later(hours=1)
    story.run()
    assert [each.status for each in story.attempts] == ["confirmed"]


def test_keys_that_go_missing_after_a_decline_stop_no_rule(
    story: Story, server: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = turn_on(story)
    story.answer("insufficient_funds")
    story.travel(CROSSING)
    story.run()
    story.answer("succeeds")
    story.later(hours=1)
    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "is_configured", lambda gateway: False)
        plans.check_due(now=story.now)
    story.later(hours=1)
    reconciliation.check_all(now=story.now)
    plans.check_due(now=story.now)
    rule.refresh_from_db()
    assert (rule.stopped_reason, [each.status for each in story.attempts]) == ("", ["failed", "confirmed"])


def test_the_cap_counts_what_the_gateway_takes_at_least(story: Story, server: Subscription) -> None:
    """A day costs 86.40, and the gateway takes no less than 100.00: a second 100.00 would be above a cap of 190.00."""
    turn_on(story, threshold=None, amount=None, days=1, cap=190_00)
    story.run_until(NOON + timedelta(days=3), every=timedelta(hours=1))
    assert tried(story) == [(100_00, "confirmed", "")]
    assert (ends(), story.events("auto_top_up.")) == ([("collected", "")], ["cap_reached"])


def test_a_meter_that_runs_as_expected_is_told_of_once(story: Story, server: Subscription) -> None:
    """The book is settled each hour, and the threshold is crossed at 22:00 all the same."""
    turn_on(story)
    story.run_until(CROSSING - timedelta(hours=1), every=timedelta(minutes=30))
    assert story.decisions() == ["not_yet"]
    assert "22:00" in CollectionDecision.objects.get().line
    turn_on(story, threshold=110_00)
    story.run()
    # 110.00 were crossed two hours ago.
    assert story.decisions() == ["not_yet", "begun", "charged", "collected", "not_yet"]


def test_one_run_looks_at_all_wallets_that_have_changed(
    story: Story, server: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn_on(story)
    for customer in people(3):
        pay_in(customer, 100_00, at=story.now)
        wallet = Account.objects.get(owner=customer, kind="wallet")
        CollectionPlan.objects.create(wallet=wallet, customer=customer, check_at=story.now)
    monkeypatch.setattr(sweeps, "BATCH", 2)
    assert plans.check_due(now=story.now) == 4
    assert not CollectionPlan.objects.filter(check_at__lte=story.now).exists()

"""Automatic top-ups at the sandbox: when they charge, how much, and what stops them.

A server costs 3.60 roubles an hour: a kopeck every ten seconds. The story begins at noon on Monday, 2 March 2026.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from payments import cancellation, refunds
from payments.collection import consents, plans, top_ups
from payments.collection.top_ups import RuleInvalid
from payments.models import AutoTopUp, Collection, CollectionPlan, Consent, Payment, PaymentMethod
from subscriptions import closure
from subscriptions.models import Subscription
from tests.payments import faulty_gateway
from tests.payments.collection.story import ADDRESS, Story, dispute
from tests.subscriptions.shop import pay_in

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def turn_on(story: Story, **rule: Any) -> AutoTopUp:
    rule = {"threshold": 100_00, "amount": 500_00, "cap": 5000_00} | rule
    rule = {name: value for name, value in rule.items() if value is not None}
    return top_ups.turn_on(story.card, "RUB", address=ADDRESS, now=story.now, **rule)


@pytest.fixture
def server(story: Story, hourly: Any) -> Subscription:
    """A running server, paid for with 136.00 roubles: 36.00 above the threshold last ten hours."""
    payment = story.top_up(136_00)
    assert payment.status == "confirmed"
    with story.book() as book:
        return book.subscribe(hourly)


def test_it_charges_when_the_threshold_is_crossed_and_not_before(story: Story, server: Subscription) -> None:
    turn_on(story)
    story.run()
    # 36.00 are 3600 kopecks; with the next one, which begins ten hours later, the balance is below the threshold.
    crossing = NOON + timedelta(hours=10)
    assert CollectionPlan.objects.get().check_at == crossing
    story.travel(crossing - timedelta(microseconds=1))
    story.run()
    assert story.attempts == []
    story.travel(crossing)
    story.run()
    assert [(each.status, each.amount) for each in story.attempts] == [("confirmed", 500_00)]
    assert (story.collection.status, story.collection.kind) == ("collected", "top_up")
    assert story.events() == ["collected"]


@pytest.mark.parametrize("ticks", [[3600], [1], [7 * 3600, 60], [86_400 * 3]])
def test_the_instant_does_not_depend_on_the_ticks(story: Story, server: Subscription, ticks: list[int]) -> None:
    turn_on(story)
    story.run()
    for seconds in ticks[:3]:
        story.travel(NOON + timedelta(seconds=min(seconds, 35_000)))
        story.run()
        assert CollectionPlan.objects.get().check_at == NOON + timedelta(hours=10)


def test_a_server_that_would_run_dry_at_three_with_the_workers_down_until_half_past_two(
    story: Story, hourly: Any
) -> None:
    """54.00 roubles last from noon to three in the morning. The threshold of 20.00 is crossed at 21:26."""
    story.top_up(100_00)
    with story.book() as book:
        book.withdraw(46_00, key="test:out", to="adjustments", reason="adjustment")
        row = book.subscribe(hourly)
    turn_on(story, threshold=20_00)
    story.run()
    assert CollectionPlan.objects.get().check_at == NOON + timedelta(seconds=34_000)
    story.travel(NOON + timedelta(hours=14, minutes=30))
    story.run()
    assert [each.status for each in story.attempts] == ["confirmed"]
    story.travel(NOON + timedelta(hours=16))
    story.run()
    assert story.status(row) == "active"
    # 554.00 less 16 hours at 3.60.
    assert story.balance == 554_00 - 57_60


def test_days_ahead(story: Story, server: Subscription) -> None:
    """136.00 last 37 hours 46 minutes and 40 seconds: a day ahead is 13 hours 46 minutes and 40 seconds from noon."""
    turn_on(story, threshold=None, amount=None, days=1)
    story.run()
    assert CollectionPlan.objects.get().check_at == NOON + timedelta(hours=13, minutes=46, seconds=40)
    story.travel(NOON + timedelta(hours=13, minutes=46, seconds=40))
    story.run()
    # A day is paid for; a second one costs 86.40, and gateways take no less than 100.00.
    assert [each.amount for each in story.attempts] == [100_00]


def test_the_monthly_cap(story: Story, server: Subscription) -> None:
    turn_on(story, cap=900_00)
    story.travel(NOON + timedelta(hours=10))
    story.run()
    assert len(story.attempts) == 1
    # 600.00 less 100.00 last 138 hours and 53 minutes. A second 500.00 would be 1000.00 in March.
    story.run_until(NOON + timedelta(days=7), every=timedelta(hours=6))
    assert len(story.attempts) == 1
    assert story.events("auto_top_up.") == ["cap_reached"]
    assert CollectionPlan.objects.get().check_at == datetime(2026, 4, 1, tzinfo=UTC)
    story.travel(datetime(2026, 4, 1, tzinfo=UTC))
    story.run()
    assert len(story.attempts) == 2
    assert "monthly_cap" in story.decisions()


def test_an_hour_after_a_decline_and_three_a_day(story: Story, server: Subscription) -> None:
    rule = turn_on(story)
    story.answer("insufficient_funds")
    for hours, attempts in ((10, 1), (10.9, 1), (11, 2), (12, 3), (13, 3), (20, 3)):
        story.travel(NOON + timedelta(hours=hours))
        story.run()
        assert len(story.attempts) == attempts
    rule.refresh_from_db()
    assert (rule.stopped_reason, story.collection.status) == ("burst", "given_up")
    assert story.events("auto_top_up.") == ["stopped"]
    # It stays off until the customer turns it on anew.
    story.travel(NOON + timedelta(days=3))
    story.run()
    assert len(story.attempts) == 3


def test_too_many_in_a_day_stop_it(story: Story, server: Subscription) -> None:
    """Each 100.00 leave the balance below a threshold of 1000.00."""
    rule = turn_on(story, threshold=1000_00, amount=100_00)
    story.run_until(NOON + timedelta(minutes=10), every=timedelta(minutes=1))
    rule.refresh_from_db()
    assert ([each.status for each in story.attempts], rule.stopped_reason) == (["confirmed"] * 3, "burst")


def test_a_stolen_card_stops_it(story: Story, server: Subscription) -> None:
    rule = turn_on(story)
    story.answer("stolen_card")
    story.travel(NOON + timedelta(hours=10))
    story.run()
    rule.refresh_from_db()
    assert (len(story.attempts), rule.stopped_reason, story.collection.status) == (1, "method_refused", "given_up")


def test_money_from_elsewhere_ends_it(story: Story, server: Subscription) -> None:
    turn_on(story)
    story.answer("insufficient_funds")
    story.travel(NOON + timedelta(hours=10))
    story.run()
    pay_in(story.customer, 300_00, at=story.now)
    story.later(minutes=1)
    story.run()
    assert (story.collection.status, len(story.attempts)) == ("covered", 1)


@pytest.mark.parametrize("act", ["turn_off", "remove", "withdraw"])
def test_turning_it_off_stops_what_has_begun(story: Story, server: Subscription, act: str) -> None:
    turn_on(story)
    story.answer("bank_asks")
    story.travel(NOON + timedelta(hours=10))
    story.run()
    assert story.collection.status == "action_required"
    match act:
        case "turn_off":
            top_ups.turn_off(story.customer.pk, "RUB", now=story.now)
        case "remove":
            PaymentMethod.objects.update(removed_at=story.now)
        case "withdraw":
            consents.withdraw(Consent.objects.get(), now=story.now)
    story.later(minutes=1)
    story.run()
    assert (story.attempts[0].status, story.collection.status) == ("cancelled", "stopped")


def test_who_cancels_an_attempt_is_left_alone_for_a_day(story: Story, server: Subscription) -> None:
    turn_on(story)
    story.answer("bank_asks")
    story.travel(NOON + timedelta(hours=10))
    story.run()
    cancellation.cancel(story.attempts[0], now=story.now)
    story.run()
    story.later(hours=23, minutes=50)
    story.run()
    assert len(story.attempts) == 1
    story.later(hours=1, minutes=1)
    story.run()
    assert len(story.attempts) == 2


def test_a_closed_account_is_not_topped_up(story: Story, server: Subscription) -> None:
    turn_on(story)
    closure.close(story.customer, now=story.now)
    story.travel(NOON + timedelta(hours=10))
    story.run()
    assert story.attempts == []


def test_a_lost_answer_is_no_reason_for_another_charge(story: Story, server: Subscription) -> None:
    turn_on(story)
    story.answer("no_answer")
    story.travel(NOON + timedelta(hours=10))
    plans.check_due(now=story.now)
    for _turn in range(3):
        story.later(minutes=1)
        plans.check_due(now=story.now)
    assert [each.status for each in story.attempts] == ["unknown"]
    story.run()
    assert ([each.status for each in story.attempts], story.collection.status) == (["confirmed"], "collected")


def test_a_new_rule_takes_the_place_of_the_one_before(story: Story, server: Subscription) -> None:
    first, second = turn_on(story), turn_on(story, amount=700_00)
    first.refresh_from_db()
    assert (first.is_on, second.is_on, Consent.objects.filter(withdrawn_at=None).get()) == (False, True, second.consent)
    story.travel(NOON + timedelta(hours=10))
    story.run()
    assert [each.amount for each in story.attempts] == [700_00]


def test_the_words_name_the_numbers(story: Story, server: Subscription) -> None:
    words = turn_on(story).consent.words
    assert all(part in words for part in ("Visa •••• 4242", "₽500.00", "₽100.00", "₽5,000.00"))


@pytest.mark.parametrize(
    ("rule", "param"),
    [
        ({"amount": 99_99}, "amount"),
        ({"amount": 1_000_000_01}, "amount"),
        ({"threshold": 0}, "threshold"),
        ({"cap": 499_99}, "cap"),
        ({"days": 3}, "days"),
        ({"threshold": None, "amount": None, "days": 0}, "days"),
        ({"threshold": None, "amount": None, "days": 91}, "days"),
        ({"threshold": None, "amount": None}, "threshold"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(
    story: Story, server: Subscription, rule: dict[str, Any], param: str
) -> None:
    with pytest.raises(RuleInvalid) as refusal:
        turn_on(story, **rule)
    assert refusal.value.param == param
    assert (AutoTopUp.objects.count(), Consent.objects.count()) == (0, 0)


def test_a_renewal_and_a_top_up_go_one_after_the_other(story: Story) -> None:
    """990.00 are due on 2 April, and the customer keeps 100.00."""
    story.buy()
    story.agree()
    turn_on(story)
    story.run()
    # The balance is 0, below the threshold.
    assert [(each.kind, each.status) for each in Collection.objects.all()] == [("top_up", "collected")]
    story.travel(datetime(2026, 4, 1, 12, tzinfo=UTC))
    story.run()
    assert sorted(each.kind for each in Collection.objects.all()) == ["renewal", "top_up"]
    assert [each.amount for each in story.attempts] == [500_00, 490_00]


def test_a_refunded_top_up_is_not_taken_again_at_once(story: Story, server: Subscription) -> None:
    rule = turn_on(story)
    story.travel(NOON + timedelta(hours=10))
    story.run()
    refunds.issue(story.attempts[0], now=story.now, reason="Not wanted")
    for minutes in (1, 2, 60, 23 * 60):
        story.travel(NOON + timedelta(hours=10, minutes=minutes))
        story.run()
    assert len(story.attempts) == 1
    assert "refunded_lately" in story.decisions()
    rule.refresh_from_db()
    assert rule.stopped_at is None


def test_a_dispute_stops_it_also_on_the_day_of_a_refund(story: Story, server: Subscription) -> None:
    rule = turn_on(story)
    story.travel(NOON + timedelta(hours=10))
    story.run()
    refunds.issue(story.attempts[0], now=story.now, reason="Not wanted")
    dispute(Payment.objects.earliest("id"), now=story.now)
    story.later(minutes=1)
    story.run()
    rule.refresh_from_db()
    assert (len(story.attempts), rule.stopped_reason) == (1, "disputed")


def test_a_disputed_payment_stops_it_until_the_customer_turns_it_on_again(story: Story, server: Subscription) -> None:
    rule = turn_on(story)
    first = story.top_up(200_00)
    dispute(first, now=story.now)
    story.travel(NOON + timedelta(hours=10))
    story.run()
    rule.refresh_from_db()
    assert (story.attempts, rule.stopped_reason) == ([], "disputed")
    assert story.events("auto_top_up.") == ["stopped"]
    turn_on(story)
    story.run()
    assert [each.status for each in story.attempts] == ["confirmed"]


def test_the_limit_is_told_once_a_month_by_two_workers(story: Story, server: Subscription) -> None:
    rule = turn_on(story)
    for at in (NOON, NOON, datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)):
        top_ups.note_cap(AutoTopUp(**{field.attname: getattr(rule, field.attname) for field in rule._meta.fields}),
                         now=at)  # fmt: skip
    assert story.events("auto_top_up.") == ["cap_reached"] * 2


class TestSteps:
    """A gateway that takes dinars in steps of 0.010, as Stripe does."""

    @pytest.fixture(autouse=True)
    def _dinars(self, settings: Any) -> None:
        settings.GATEWAY_CLASSES = settings.GATEWAY_CLASSES | {"dinars": faulty_gateway.DINARS}
        settings.PAYMENT_GATEWAYS = ["sandbox", "dinars"]

    @pytest.mark.parametrize("gateway", ["sandbox", "dinars"])
    def test_an_amount_between_two_steps_is_refused_as_more_would_be_charged(self, alice: User, gateway: str) -> None:
        card = PaymentMethod.objects.create(customer=alice, gateway=gateway, gateway_id="card", created_at=NOON)
        with pytest.raises(RuleInvalid) as caught:
            top_ups.check(card, "KWD", threshold=1_234, amount=1_234, days=None, cap=5_678)
        said = "A top-up must be a multiple of KWD\xa00.010. You sent KWD\xa01.234."
        assert (caught.value.detail, caught.value.param) == (said, "amount")
        top_ups.check(card, "KWD", threshold=1_234, amount=1_240, days=None, cap=5_678)

"""Each integrity check of subscriptions finds the error that is planted for it, and no other."""

from datetime import timedelta

import pytest

import ledger
from accounts.models import User
from events.models import Event
from ledger import wallets
from subscriptions import books, closure, integrity, reminders
from subscriptions.models import Charge, Subscription
from tests.ledger.plant import plant, sql, triggers_of
from tests.ledger.snapshot import found
from tests.subscriptions.shop import START, pay_in, sell

pytestmark = pytest.mark.django_db
CHARGE, SUBSCRIPTION, EVENT = "subscriptions_charge", "subscriptions_subscription", "events_event"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def monthly(alice: User) -> Subscription:
    """990.00 for March, paused from the 4th to the 6th, cancelled on the 12th with a refund."""
    pay_in(alice, 2_000_00)
    price = sell("basic", RUB=990_00)["RUB"]
    with books.open(alice, "RUB", now=START) as book:
        subscription = book.subscribe(price)
    with books.open(alice, "RUB", now=START + 3 * DAY) as book:
        book.pause(subscription)
    with books.open(alice, "RUB", now=START + 5 * DAY) as book:
        book.resume(subscription)
    with books.open(alice, "RUB", now=START + 11 * DAY) as book:
        book.cancel(subscription, when="now", refund_unused=True)
    return subscription


@pytest.fixture(autouse=True)
def hourly(alice: User, monthly: Subscription) -> Subscription:
    """0.01 per 7 hours from the 13th, billed three times, 4 hours apart, with a part of a unit left each time."""
    price = sell("hourly", RUB=1, interval="hour", interval_count=7, metered=True)["RUB"]
    for hours in range(4):
        with books.open(alice, "RUB", now=START + 12 * DAY + timedelta(hours=4 * hours)) as book:
            if not hours:
                subscription = book.subscribe(price)
    assert found() == {}
    # The first unit leaves 3/7. The second is begun after that and leaves 1 - 1/7 = 6/7, enough for 4/7 more.
    amounts = Charge.objects.filter(subscription=subscription).order_by("id").values_list("amount", flat=True)
    assert list(amounts) == [1, 1, 0]
    return subscription


def test_time_charged_twice_is_found(hourly):
    plant(
        CHARGE,
        f"UPDATE {CHARGE} SET period_start = period_start - interval '1 microsecond' WHERE id = %s",
        Charge.objects.filter(subscription=hourly).latest("id").pk,
    )
    assert found()["no_second_is_charged_twice"] == 1


def test_uncharged_time_is_found(hourly):
    plant(CHARGE, f"DELETE FROM {CHARGE} WHERE amount = 0 AND subscription_id = %s", hourly.pk)
    assert found() == {"no_live_second_is_left_out": 1}


def test_an_uncharged_microsecond_is_found(monthly):
    plant(
        CHARGE,
        f"UPDATE {CHARGE} SET ended_at = ended_at - interval '1 microsecond' WHERE id = %s",
        Charge.objects.filter(subscription=monthly).earliest("id").pk,
    )
    assert found() == {"no_live_second_is_left_out": 1}


def test_unbilled_metered_use_is_found(hourly):
    plant(
        SUBSCRIPTION, f"UPDATE {SUBSCRIPTION} SET billed_until = billed_until + interval '1h' WHERE id = %s", hourly.pk
    )
    assert found() == {"no_live_second_is_left_out": 1}


def test_a_charged_pause_is_found(monthly):
    first = Charge.objects.filter(subscription=monthly).earliest("id")
    plant(CHARGE, f"UPDATE {CHARGE} SET ended_at = ended_at + interval '1 day' WHERE id = %s", first.pk)
    assert found() == {"nothing_is_charged_while_not_live": 1}


@pytest.mark.parametrize(
    "change",
    [
        "data = jsonb_set(data, '{from}', '\"suspended\"')",  # not the status that the previous event set
        "effective_at = '2020-01-01T00:00Z'",
    ],
)
def test_an_event_that_does_not_follow_the_previous_one_is_found(monthly, change):
    plant(EVENT, f"UPDATE {EVENT} SET {change} WHERE type = 'subscription.paused'")
    assert found()["statuses_moved_along_the_table"] == 1


def test_a_forbidden_status_change_is_found(monthly):
    """From paused to expired: the rules do not allow that."""
    plant(
        EVENT, f"UPDATE {EVENT} SET data = jsonb_set(data, '{{to}}', '\"expired\"') WHERE type = 'subscription.resumed'"
    )
    assert (
        found()["statuses_moved_along_the_table"] == 2
    )  # this event, and the next one, which begins with another status


def test_a_status_without_an_event_is_found(hourly):
    plant(SUBSCRIPTION, f"UPDATE {SUBSCRIPTION} SET status = 'paused' WHERE id = %s", hourly.pk)
    assert found() == {"status_is_what_the_events_came_to": 1}


def test_a_meter_that_runs_in_a_closed_account_is_found(alice):
    """Closed past the code that pauses what runs."""
    assert Subscription.objects.filter(customer=alice, status="active").count() == 1
    plant("accounts_user", "UPDATE accounts_user SET is_active = false WHERE id = %s", alice.pk)
    assert found() == {"nothing_of_a_closed_account_is_used": 1}


def test_a_start_and_a_renewal_after_the_closing_are_found(alice):
    """A period that was paid before runs out. One that begins or is renewed after the closing is an error."""
    late = START + 20 * DAY
    with books.open(alice, "RUB", now=late) as book:
        row = book.subscribe(sell("daily", RUB=1_00, interval="day")["RUB"])
    closure.close(alice, now=late)
    assert found() == {}
    closing = Event.objects.get(type="customer.closed").pk
    plant(EVENT, f"UPDATE {EVENT} SET id = -id WHERE id = %s", closing)
    assert found() == {"nothing_of_a_closed_account_is_used": 4}
    row.refresh_from_db()
    assert row.status == "active"


def test_a_charge_with_a_wrong_amount_is_found(hourly):
    plant(CHARGE, f"UPDATE {CHARGE} SET amount = 2 WHERE amount = 1 AND subscription_id = %s", hourly.pk)
    assert found() == {"charges_equal_their_transactions": 2, "charges_follow_from_their_price": 2}


def test_a_charge_without_its_transaction_is_found(hourly):
    plant(
        CHARGE,
        f"UPDATE {CHARGE} SET transaction_id = NULL WHERE id = %s",
        Charge.objects.filter(subscription=hourly, amount=1).latest("id").pk,
        without="charge_above_zero_has_a_transaction",
    )
    # The charge has no transaction, and the transaction has no charge.
    assert found()["charges_equal_their_transactions"] == 2


def test_a_charge_transaction_without_a_charge_is_found(alice):
    wallet = wallets.wallet_id_of(alice.pk, "RUB")
    ledger.post([ledger.Entry("stray", wallet, "revenue", 5, "RUB", "charge", START + 30 * DAY)])
    assert found() == {"charges_equal_their_transactions": 1}


def test_a_refund_without_a_charge_is_found(alice):
    wallet = wallets.wallet_id_of(alice.pk, "RUB")
    ledger.post([ledger.Entry("stray", "revenue", wallet, 5, "RUB", "unused_refund", START + 30 * DAY)])
    assert found() == {"unused_time_is_given_back_once": 1}


def test_a_refund_above_the_payment_is_found():
    """The period cost 990.00; set the charge to one rouble."""
    plant(CHARGE, f"UPDATE {CHARGE} SET amount = 100 WHERE amount = 99000")
    assert found()["unused_time_is_given_back_once"] == 1


@pytest.mark.parametrize("change", ["credit_after = credit_after + 1", "credit_before = NULL", "price_id = 0"])
def test_a_charge_that_contradicts_its_price_is_found(hourly, change):
    last = Charge.objects.filter(subscription=hourly).latest("id")
    plant(CHARGE, f"UPDATE {CHARGE} SET {change} WHERE id = %s", last.pk)
    assert found()["charges_follow_from_their_price"] == 1


def test_a_period_charged_at_another_price_is_found():
    plant("subscriptions_price", "UPDATE subscriptions_price SET amount = 95000 WHERE amount = 99000")
    assert found() == {"charges_follow_from_their_price": 1}


def test_lost_credit_is_found(hourly):
    """Remove one microsecond of credit at both ends of the last slice, so that the slice itself is right."""
    last = Charge.objects.filter(subscription=hourly).latest("id")
    plant(
        CHARGE,
        f"UPDATE {CHARGE} SET credit_before = credit_before - 1, credit_after = credit_after - 1 WHERE id = %s",
        last.pk,
    )
    assert found() == {"credit_is_carried_on": 1}


def test_use_that_was_not_paid_is_found(hourly):
    """12 hours took 2 kopecks, enough for 14. Of 15 hours the last is served on credit."""
    last = Charge.objects.filter(subscription=hourly).latest("id")
    plant(CHARGE, f"UPDATE {CHARGE} SET period_end = period_end + interval '3h' WHERE id = %s", last.pk)
    assert found()["metered_use_was_paid_before"] == 1


def test_a_period_that_begins_in_the_future_is_found(monthly):
    """A charge dated later than its book is settled."""
    first = Charge.objects.filter(subscription=monthly).earliest("id")
    plant(CHARGE, f"UPDATE {CHARGE} SET period_start = '2030-01-01', period_end = '2030-02-01', ended_at = NULL"
          " WHERE id = %s", first.pk)  # fmt: skip
    assert found()["no_period_begins_in_the_future"] == 1


def test_a_wallet_beside_a_debt_is_found(alice):
    wallet, debt = wallets.wallet_id_of(alice.pk, "RUB"), wallets.debt_id_of(alice.pk, "RUB")
    ledger.post([ledger.Entry("owed", debt, "disputes", 5, "RUB", "chargeback", START + 30 * DAY)])
    assert wallet
    assert found() == {"wallet_or_debt_is_empty": 1}


@pytest.mark.parametrize(
    "statement",
    [
        f"DROP TRIGGER charge_is_written_once ON {CHARGE}",
        f"ALTER TABLE {CHARGE} DROP CONSTRAINT one_charge_per_subscription_and_start",
        f"ALTER TABLE {SUBSCRIPTION} DISABLE TRIGGER final_subscription_stays_final",
    ],
)
def test_a_missing_guard_is_found(statement):
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql(statement)
    assert found() == {"subscription_guards_are_there": 1}


def test_the_guard_check_covers_every_trigger():
    assert triggers_of("subscriptions_") == sorted(integrity.TRIGGERS)


def test_the_table_of_status_changes_names_every_status():
    named = set(integrity.MOVES) | {target for targets in integrity.MOVES.values() for target in targets}
    assert named == set(Subscription.Status.values)


def test_a_quantity_raised_as_the_period_begins_is_no_error(alice):
    """99.00 for one seat, and at the same instant 99.00 more for the second: both are right, and the first is void."""
    price = sell("seats", RUB=99_00)["RUB"]
    with books.open(alice, "RUB", now=START + 20 * DAY) as book:
        subscription = book.subscribe(price)
        book.change_quantity(subscription, 2)
    assert list(Charge.objects.filter(subscription=subscription).order_by("id").values_list("amount", "quantity")) == [
        (99_00, 1), (99_00, 2),
    ]  # fmt: skip
    assert found() == {}


def test_a_rate_that_changes_and_changes_back_at_once_is_no_error(alice, hourly):
    """Credit of a 7-hour unit, carried to one of a second and back, loses what a second's unit cannot hold."""
    short = sell("short", RUB=1, interval="second", interval_count=7, metered=True)["RUB"]
    with books.open(alice, "RUB", now=START + 12 * DAY + timedelta(hours=13, microseconds=1)) as book:
        book.change_plan(hourly, short)
        book.change_plan(hourly, hourly.price)
    with books.open(alice, "RUB", now=START + 12 * DAY + timedelta(hours=14)):
        pass
    assert found() == {}


def test_reminders_between_two_events_are_no_error(alice):
    """They are events of a subscription without a status."""
    tried, renewed = (sell(code, RUB=990_00, trial_days=days)["RUB"] for code, days in (("tried", 14), ("monthly", 0)))
    with books.open(alice, "RUB", now=START + 20 * DAY) as book:
        book.subscribe(renewed)
        row = book.subscribe(tried)
    assert reminders.run_due(now=START + 32 * DAY) == 1
    with books.open(alice, "RUB", now=START + 33 * DAY) as book:
        book.cancel(row)
    assert reminders.run_due(now=START + 49 * DAY) == 1
    assert set(Event.objects.filter(subject__startswith="sub_").values_list("type", flat=True)) >= {
        reminders.EVENT, reminders.TRIAL_EVENT,
    }  # fmt: skip
    assert found() == {}

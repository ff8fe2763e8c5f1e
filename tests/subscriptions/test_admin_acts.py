"""Staff act on a subscription: each act is shown before -> after, confirmed, and happens once."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from core.rehearsal import NOTHING
from events.models import StaffAct
from ledger.models import Transaction
from subscriptions import books, closure
from subscriptions.admin.subscriptions import SubscriptionAdmin
from subscriptions.models import Subscription
from tests.staff import member
from tests.subscriptions.bank import NOON, at, balance, broken_rules, do, hourly
from tests.subscriptions.desk import ask, desk, filled, kinds, rub, send, table, url
from tests.subscriptions.rows import events
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _day() -> Iterator[None]:
    """It is noon of 11 March: 21 of 31 days of the paid period are left."""
    with time_machine.travel(at(days=10), tick=False):
        yield


@pytest.fixture
def support(db: None) -> Client:
    return desk("support")


def offered(client: Client, row: Subscription) -> set[str]:
    """Return the acts to which the page of the subscription links."""
    html = client.get(url(row, "change")).content.decode()
    return {name for name in SubscriptionAdmin.acts if f'href="{url(row, name)}"' in html}


def state(row: Subscription) -> str:
    row.refresh_from_db()
    return row.status


# Each act.
def test_the_plan_is_changed_now(support: Client, alice: User, subscription: Subscription, better: Any) -> None:
    changes = table(ask(support, url(subscription, "change-plan"), plan="better", when="now"))
    # 990.00 x 21/31 comes back, 1500.00 is paid.
    assert changes["Balance of the customer"] == (rub(1010_00), rub(180_64))
    assert changes["Plan"] == (f"Basic, {rub(990_00)} a month", f"Better, {rub(1500_00)} a month")
    # What the customer would see: 15 minutes later less comes back.
    assert changes["As the customer would read it"] == (
        NOTHING,
        "Basic ends when you confirm, and Better starts. Within 15 minutes the amounts do not get worse than this.",
    )
    assert changes["Refund for unused time of Basic"][1].startswith(f"+{rub(670_31)}")
    assert changes["Better"][1].startswith(f"−{rub(1500_00)}")
    assert (balance(alice), kinds()) == (1010_00, [])
    assert send(support, url(subscription, "change-plan"), plan="better", when="now").status_code == 303
    subscription.refresh_from_db()
    assert (subscription.price, balance(alice), kinds()) == (better, 180_64, ["subscription.change_plan"])
    assert broken_rules() == []


def test_the_plan_is_changed_at_the_end_and_the_change_is_dropped(
    support: Client, alice: User, subscription: Subscription, better: Any
) -> None:
    page = url(subscription, "change-plan")
    changes = table(ask(support, page, plan="better", when="period_end"))
    assert changes["Planned"] == (NOTHING, "Better")
    assert changes["Missing for the payment then"] == (NOTHING, rub(490_00))
    send(support, page, plan="better", when="period_end")
    subscription.refresh_from_db()
    assert (subscription.scheduled_price, balance(alice)) == (better, 1010_00)
    send(support, url(subscription, "keep-plan"))
    subscription.refresh_from_db()
    assert (subscription.scheduled_price, kinds()) == (None, ["subscription.change_plan", "subscription.keep_plan"])


def test_only_other_plans_on_sale_in_the_currency_are_offered(
    support: Client, subscription: Subscription, better: Any
) -> None:
    sell("euros", EUR=10_00)
    sell("hidden", RUB=10_00, is_public=False)
    form = support.get(url(subscription, "change-plan")).context["form"]
    assert [code for code, _ in form.fields["plan"].choices] == ["better"]
    answer = ask(support, url(subscription, "change-plan"), plan="hidden", when="now")
    assert "plan" in answer.context["form"].errors


def test_the_quantity_is_changed(support: Client, alice: User, subscription: Subscription) -> None:
    page = url(subscription, "quantity")
    changes = table(ask(support, page, quantity=2, when="now"))
    assert changes["Quantity"] == ("1", "2")
    assert changes["Balance of the customer"] == (rub(1010_00), rub(339_35))
    send(support, page, quantity=2, when="now")
    subscription.refresh_from_db()
    assert (subscription.quantity, balance(alice), kinds()) == (2, 339_35, ["subscription.change_quantity"])
    answer = ask(support, page, quantity=2, when="now")
    assert answer.context["form"].errors["quantity"] == ["This is the quantity it has. Enter another one."]


def test_it_is_cancelled_at_its_end_and_that_is_undone(support: Client, subscription: Subscription) -> None:
    changes = table(ask(support, url(subscription, "cancel"), when="period_end"))
    assert changes["Planned"] == (NOTHING, "ends then")
    assert changes["Next charge"][1] == NOTHING
    send(support, url(subscription, "cancel"), when="period_end")
    subscription.refresh_from_db()
    assert (subscription.status, subscription.cancel_requested) == ("active", True)
    send(support, url(subscription, "undo-cancel"))
    subscription.refresh_from_db()
    assert not subscription.cancel_requested
    assert kinds() == ["subscription.cancel", "subscription.undo_cancel"]


@pytest.mark.parametrize(("when", "left"), [("refund", 1680_64), ("now", 1010_00)])
def test_it_is_cancelled_now_with_or_without_a_refund(
    support: Client, alice: User, subscription: Subscription, when: str, left: int
) -> None:
    changes = table(ask(support, url(subscription, "cancel"), when=when))
    assert changes["Subscription"] == ("Active", "Cancelled")
    assert changes.get("Balance of the customer", ("", rub(1010_00)))[1] == rub(left)
    assert (state(subscription), balance(alice)) == ("active", 1010_00)
    send(support, url(subscription, "cancel"), when=when)
    assert (state(subscription), balance(alice)) == ("cancelled", left)
    assert broken_rules() == []


def test_money_that_an_act_moves_names_its_author(support: Client, subscription: Subscription) -> None:
    send(support, url(subscription, "cancel"), when="refund")
    refund = Transaction.objects.get(reason="unused_refund")
    assert refund.author is not None
    assert refund.author.username == "support"
    assert StaffAct.objects.get().result.endswith(f"{rub(670_64)} came back to the balance.")


def test_what_a_refund_starts_again_is_shown(support: Client, alice: User, subscription: Subscription) -> None:
    """A meter of 1500.00 an hour has used up the other 1010.00."""
    price = sell("meter", RUB=1500_00, interval="hour", metered=True)["RUB"]
    do(alice, at(days=1), lambda book: book.subscribe(price))
    assert table(ask(support, url(subscription, "cancel"), when="refund"))["Meter"] == ("Suspended", "Active")


def test_it_is_paused_and_resumed(support: Client, alice: User) -> None:
    pay_in(alice, 100_00, at=NOON)
    with books.open(alice, "RUB", now=at(days=9)) as book:
        row = book.subscribe(sell("meter", RUB=1_00, interval="hour", metered=True, can_pause=True)["RUB"])
    assert table(ask(support, url(row, "pause")))["Subscription"] == ("Active", "Paused")
    send(support, url(row, "pause"))
    assert state(row) == "paused"
    send(support, url(row, "resume"))
    assert (state(row), kinds()) == ("active", ["subscription.pause", "subscription.resume"])


def test_automatic_renewal_is_turned_off_and_on(support: Client, subscription: Subscription) -> None:
    assert table(ask(support, url(subscription, "renewal-off")))["Automatic renewal"] == ("on", "off")
    send(support, url(subscription, "renewal-off"))
    subscription.refresh_from_db()
    assert not subscription.auto_renew
    send(support, url(subscription, "renewal-on"))
    subscription.refresh_from_db()
    assert (subscription.auto_renew, kinds()) == (True, ["subscription.renewal_off", "subscription.renewal_on"])


def test_a_pending_one_starts_from_the_balance(support: Client, alice: User, better: Any) -> None:
    with books.open(alice, "RUB", now=at(days=9)) as book:
        row = book.subscribe(better)
    answer = ask(support, url(row, "start"))
    assert "1,500.00" in str(answer.context["form"].errors) or "1500.00" in str(answer.context["form"].errors)
    pay_in(alice, 1600_00, at=at(days=9))
    assert table(ask(support, url(row, "start")))["Subscription"] == ("Waiting for payment", "Active")
    send(support, url(row, "start"))
    assert (state(row), balance(alice), kinds()) == ("active", 100_00, ["subscription.start"])
    charge = Transaction.objects.get(reason="charge")
    assert charge.author is not None
    assert charge.author.username == "support"


def test_days_are_given_for_free(support: Client, alice: User, subscription: Subscription) -> None:
    changes = table(ask(support, url(subscription, "extend"), days=5))
    assert set(changes) == {"Paid until", "Next charge"}
    send(support, url(subscription, "extend"), days=5)
    subscription.refresh_from_db()
    assert subscription.period_end == NOON.replace(month=4) + timedelta(days=5)
    assert (balance(alice), kinds()) == (1010_00, ["subscription.extend"])
    for days, said in ((0, "greater than or equal to 1"), (367, "Give from 1 to 366 days.")):
        assert said in str(ask(support, url(subscription, "extend"), days=days).context["form"].errors["days"])
    assert broken_rules() == []


# Once.
def test_a_double_click_does_it_once_and_records_it(support: Client, subscription: Subscription) -> None:
    send(support, url(subscription, "extend"), days=5)
    [act] = StaffAct.objects.all()
    assert (act.reason, act.customer, act.objects_touched) == (
        "Asked by phone", subscription.customer, [f"subscriptions.subscription:{subscription.pk}"],
    )  # fmt: skip
    assert [name for name, _, _ in act.changes] == ["Paid until", "Next charge"]
    assert [kind for kind, _, _ in events(subscription.customer)].count("extended") == 1


@pytest.mark.parametrize(
    ("page", "fields"),
    [("change-plan", {"plan": "better", "when": "now"}), ("cancel", {"when": "refund"}), ("renewal-off", {})],
)
def test_a_page_that_is_sent_again_says_that_it_was_done(
    support: Client, subscription: Subscription, better: Any, page: str, fields: dict[str, str]
) -> None:
    address = url(subscription, page)
    sent = filled(support, address, **fields) | {"confirmed": "1"}
    support.post(address, sent)
    answer = support.post(address, sent, follow=True)
    assert answer.redirect_chain == [(url(subscription, "change"), 303)]
    assert "This was done before." in answer.content.decode()
    assert len(kinds()) == 1


def test_the_second_of_two_members_of_staff_is_asked_again(support: Client, subscription: Subscription) -> None:
    other, page = desk("support", "second"), url(subscription, "extend")
    first, second = (filled(client, page, days=5) | {"confirmed": "1"} for client in (support, other))
    support.post(page, first)
    answer = other.post(page, second)
    assert "Somebody else has acted meanwhile." in answer.content.decode()
    assert set(table(answer)) == {"Paid until", "Next charge"}
    assert kinds() == ["subscription.extend"]


def test_who_decides_by_what_the_customer_has_changed_is_asked_again(
    support: Client, alice: User, subscription: Subscription
) -> None:
    page = url(subscription, "extend")
    sent = filled(support, page, days=5) | {"confirmed": "1"}
    do(alice, at(days=10), lambda book: book.cancel(subscription))
    answer = support.post(page, sent)
    assert "The subscription has changed meanwhile." in answer.content.decode()
    assert (table(answer)["Paid until"][1] != NOTHING, kinds()) == (True, [])
    support.post(page, {**sent, "seen": answer.context["form"].data["seen"]})
    assert kinds() == ["subscription.extend"]


# What is possible, and who may.
def test_only_what_is_possible_is_offered(support: Client, alice: User, subscription: Subscription) -> None:
    always = {"change-plan", "quantity", "cancel"}
    assert offered(support, subscription) == always | {"extend", "pause", "renewal-off"}
    do(alice, at(days=10), lambda book: book.cancel(subscription))
    assert offered(support, subscription) == always | {"extend", "pause", "undo-cancel"}
    do(alice, at(days=10), lambda book: book.pause(subscription))
    assert offered(support, subscription) == {"resume", "cancel"}
    do(alice, at(days=10), lambda book: book.cancel(subscription))
    assert offered(support, subscription) == set()
    answer = support.get(url(subscription, "extend"))
    assert "This is not possible now. The subscription: Cancelled." in answer.content.decode()


def test_what_uses_anything_is_not_offered_for_a_closed_account(
    support: Client, alice: User, subscription: Subscription
) -> None:
    closure.close(alice, now=at(days=10))
    assert offered(support, subscription) == {"pause", "renewal-off", "cancel"}
    answer = support.get(url(subscription, "extend"))
    assert "The account is closed. Open it first." in answer.content.decode()


def test_a_refusal_is_shown_on_the_page_and_changes_nothing(
    support: Client, alice: User, subscription: Subscription
) -> None:
    sell("dear", RUB=9000_00)
    answer = send(support, url(subscription, "change-plan"), plan="dear", when="now")
    # 9,000.00 less the unused part of 990.00, which shrinks by the second, and the balance of 1,010.00.
    said = str(answer.context["form"].non_field_errors())
    assert re.search(r"The customer&#x27;s balance is not enough: ₽\d,\d{3}\.\d\d more is needed\.", said)
    assert (balance(alice), kinds()) == (1010_00, [])
    assert "reason" in ask(support, url(subscription, "cancel"), when="now", reason="").context["form"].errors


@pytest.mark.parametrize("role", ["auditor", "catalogue", "finance", "developer"])
def test_other_roles_see_no_buttons_and_may_not(role: str, subscription: Subscription) -> None:
    client = desk(role)
    assert offered(client, subscription) == set()
    for name in SubscriptionAdmin.acts:
        for answer in (client.get(url(subscription, name)), client.post(url(subscription, name), {"confirmed": "1"})):
            assert answer.status_code == 403
    assert kinds() == []


def test_pages_take_few_queries(
    support: Client, alice: User, subscription: Subscription, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        do(alice, at(days=1), lambda book: book.subscribe(hourly(1, "a" + str(len(book.item.book.subs)))))
    for page in ("change", "change-plan", "extend", "cancel"):
        with django_assert_max_num_queries(12):
            assert support.get(url(subscription, page)).status_code == 200


def test_nobody_else_gets_in(alice: User, subscription: Subscription) -> None:
    client = Client()
    assert client.get(url(subscription, "cancel")).status_code == 302
    client.force_login(member("support", "plain"))
    assert client.get(url(subscription, "cancel")).status_code == 200

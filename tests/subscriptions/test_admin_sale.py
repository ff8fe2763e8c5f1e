"""Staff start a plan for a customer: from the balance or as a trial, once however often it is sent."""

import pytest

from accounts.models import User
from core.rehearsal import NOTHING
from events.models import StaffAct
from ledger.models import Transaction
from subscriptions import closure
from subscriptions.models import Price, Subscription
from tests.subscriptions.bank import NOON, at, balance, broken_rules
from tests.subscriptions.desk import ask, desk, filled, kinds, rub, sale, send, table
from tests.subscriptions.shop import pay_in, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def price(alice: User) -> Price:
    """Basic, 990.00 a month; Alice has 2000.00."""
    pay_in(alice, 2000_00, at=NOON)
    return sell("basic", RUB=990_00)["RUB"]


def chosen(price: Price, **more: int) -> dict[str, int]:
    return {"price": price.pk, "quantity": 1, "periods": 1} | more


def test_a_plan_is_shown_and_started_from_the_balance(alice: User, price: Price) -> None:
    support = desk("support")
    answer = ask(support, sale(alice), **chosen(price, periods=2))
    assert answer.context["answers"][0] == ("Plan", f"Basic, {rub(990_00)} a month")
    changes = table(answer)
    assert changes["Balance of the customer"] == (rub(2000_00), rub(20_00))
    assert changes["Subscription"] == (NOTHING, "Active")
    assert changes["Plan"] == (NOTHING, f"Basic, {rub(1980_00)} every 2 months")
    assert (Subscription.objects.count(), kinds()) == (0, [])
    assert send(support, sale(alice), **chosen(price, periods=2)).status_code == 303
    row = Subscription.objects.get()
    assert (row.status, row.periods, row.auto_renew, balance(alice)) == ("active", 2, True, 20_00)
    charge = Transaction.objects.get(reason="charge")
    assert charge.author is not None
    assert charge.author.username == "support"
    [act] = StaffAct.objects.all()
    assert (act.kind, act.customer, act.reason) == ("customer.subscribe", alice, "Asked by phone")
    assert act.objects_touched == [f"accounts.user:{alice.pk}", f"subscriptions.subscription:{row.pk}"]
    assert broken_rules() == []


def test_a_plan_with_a_trial_starts_with_it_once(alice: User) -> None:
    tried = sell("tried", RUB=990_00, trial_days=7)["RUB"]
    support = desk("support")
    answer = ask(support, sale(alice), **chosen(tried))
    assert answer.context["answers"][0][1].endswith("7 days free")
    assert table(answer)["Subscription"] == (NOTHING, "Free trial")
    send(support, sale(alice), **chosen(tried))
    assert (Subscription.objects.get().status, balance(alice)) == ("trialing", 0)
    answer = send(support, sale(alice), **chosen(tried))
    assert (answer.status_code, "Top up" in answer.content.decode()) == (200, False)
    assert Subscription.objects.count() == 1


def test_what_the_balance_does_not_pay_is_refused_and_leaves_nothing(alice: User, price: Price) -> None:
    answer = send(desk("support"), sale(alice), **chosen(price, quantity=3))
    assert "The customer&#x27;s balance is not enough" in answer.content.decode()
    assert "Top up" not in answer.content.decode()
    assert (Subscription.objects.count(), balance(alice), kinds()) == (0, 2000_00, [])


@pytest.mark.parametrize("fields", [{"quantity": 0}, {"quantity": ""}, {"periods": 1001}, {"price": 0}, {"reason": ""}])
def test_bad_input_is_named(alice: User, price: Price, fields: dict[str, object]) -> None:
    answer = ask(desk("support"), sale(alice), **{**chosen(price), **fields})
    assert list(answer.context["form"].errors) == list(fields)


def test_plans_that_are_not_on_sale_are_not_offered(alice: User, price: Price) -> None:
    hidden = sell("hidden", RUB=1_00, is_public=False)["RUB"]
    form = desk("support").get(sale(alice)).context["form"]
    assert [pk for pk, _ in form.fields["price"].choices] == [str(price.pk)]
    answer = ask(desk("support", "other"), sale(alice), **chosen(hidden))
    assert "price" in answer.context["form"].errors


def test_the_second_of_two_members_of_staff_is_asked_again(alice: User, price: Price) -> None:
    one, other = desk("support"), desk("support", "other")
    first, second = (filled(client, sale(alice), **chosen(price)) | {"confirmed": "1"} for client in (one, other))
    one.post(sale(alice), first)
    answer = other.post(sale(alice), second)
    assert "Somebody else has acted meanwhile." in answer.content.decode()
    assert (Subscription.objects.count(), balance(alice)) == (1, 1010_00)


def test_a_closed_account_gets_nothing(alice: User, price: Price) -> None:
    support = desk("support")
    closure.close(alice, now=at(days=1))
    assert "The account is closed. Open it first." in support.get(sale(alice)).content.decode()
    assert sale(alice) not in support.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
    support.post(sale(alice), {"form_key": "x", "reason": "x", "confirmed": "1", **chosen(price)})
    assert Subscription.objects.count() == 0


def test_the_page_of_the_customer_leads_there(alice: User, price: Price) -> None:
    assert sale(alice) in desk("support").get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
    assert sale(alice) not in desk("auditor").get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()


@pytest.mark.parametrize("role", ["auditor", "catalogue", "finance", "developer"])
def test_other_roles_may_not(role: str, alice: User, price: Price) -> None:
    client = desk(role)
    assert client.get(sale(alice)).status_code == 403
    assert client.post(sale(alice), {"confirmed": "1", "reason": "x", **chosen(price)}).status_code == 403
    assert Subscription.objects.count() == 0

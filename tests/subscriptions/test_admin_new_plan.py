"""The catalogue team creates a plan with its first prices on one page."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from events.models import StaffAct
from payments.gateways import registry
from subscriptions.models import Plan, Price
from tests.staff import member
from tests.subscriptions.desk import ask, send, table
from tests.subscriptions.shop import sell

pytestmark = pytest.mark.django_db
PLANS = "/admin/subscriptions/plan/"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(member("catalogue"))
    return client


def new_plan(*prices: dict[str, str], **plan: str) -> dict[str, str]:
    """Return what the page of a new plan sends: three prices, of which those not given are as they were shown."""
    sent = {
        "code": "team", "name": "Team", "position": "0", "is_public": "on", "features": "Ten seats\nBackups",
        "features_ru": "Десять мест", "prices-TOTAL_FORMS": "3", "prices-INITIAL_FORMS": "0",
        "reason": "A bigger plan",
    }  # fmt: skip
    blank = {
        "currency": "", "amount": "", "interval": "month", "interval_count": "1", "trial_days": "0",
        "grace_days": "0", "keep_days": "30", "trial_quantity_max": "10", "can_refund_unused": "on", "can_pause": "",
    }  # fmt: skip
    for number in range(3):
        given = prices[number] if number < len(prices) else {}
        sent |= {f"prices-{number}-{name}": value for name, value in (blank | given).items()}
    return sent | plan


def test_a_plan_is_created_with_its_prices_and_features_on_one_page(desk: Client) -> None:
    assert desk.get(f"{PLANS}add/").context["inline_admin_formsets"][0].formset.total_form_count() == 3
    sent = new_plan({"currency": "RUB", "amount": "690", "grace_days": "3"}, {"currency": "EUR", "amount": "7.90"})
    assert desk.post(f"{PLANS}add/", sent).status_code == 302
    plan = Plan.objects.get()
    assert (plan.features, plan.features_ru) == (["Ten seats", "Backups"], ["Десять мест"])
    prices = Price.objects.order_by("currency").values_list("currency", "amount", "grace_days", "version", "can_pause")
    assert list(prices) == [("EUR", 7_90, 0, 1, False), ("RUB", 690_00, 3, 1, False)]
    [act] = StaffAct.objects.all()
    assert (act.kind, act.reason) == ("plan.add", "A bigger plan")
    assert ["Code", "–", "team"] in act.changes
    assert len([change for change in act.changes if change[0] == "Price"]) == 2
    # A double click: the code is taken by then.
    again = desk.post(f"{PLANS}add/", sent)
    assert "The plan Team has the code team." in again.content.decode()
    assert (Plan.objects.count(), Price.objects.count()) == (1, 2)


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ([{"currency": "RUB", "amount": "1"}, {"currency": "RUB", "amount": "2"}], "There are two in RUB."),
        ([{"currency": "RUB", "amount": "1", "grace_days": "31"}], "Grace days: fewer than the interval has"),
        ([{"currency": "ABC", "amount": "1"}], "ABC"),
        ([{"currency": "RUB", "amount": ""}], "This field is required."),
    ],
)
def test_a_plan_with_a_price_that_cannot_be_is_not_created(
    desk: Client, prices: list[dict[str, str]], said: str
) -> None:
    answer = desk.post(f"{PLANS}add/", new_plan(*prices))
    assert said in answer.content.decode()
    assert "is violated" not in answer.content.decode()
    assert (Plan.objects.count(), Price.objects.count()) == (0, 0)


def test_the_currencies_that_can_be_paid_in_are_named(desk: Client, settings: Any) -> None:
    settings.PAYMENT_GATEWAYS = ["sandbox"]
    plan = sell("basic", RUB=100)["RUB"].plan
    for page in (f"{PLANS}add/", f"{PLANS}{plan.pk}/add-price/"):
        text = desk.get(page).content.decode()
        assert f"One of: {', '.join(registry.currencies())}." in text


def test_the_reason_of_a_new_plan_stands_below_its_prices(desk: Client) -> None:
    text = desk.get(f"{PLANS}add/").content.decode()
    assert text.count('name="reason"') == 1
    assert text.index('name="prices-2-amount"') < text.index('name="reason"') < text.index('name="_save"')


def test_a_new_plan_needs_a_reason(desk: Client) -> None:
    answer = desk.post(f"{PLANS}add/", new_plan({"currency": "RUB", "amount": "690"}, reason=""))
    assert list(answer.context["adminform"].form.errors) == ["reason"]
    assert not Plan.objects.exists()


def test_an_unused_plan_is_deleted_with_a_reason(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    plan = Plan.objects.create(code="team", name="Team")
    address = f"{PLANS}{plan.pk}/delete/"
    assert f'href="{address}"' in client.get(f"{PLANS}{plan.pk}/change/").content.decode()
    assert table(ask(client, address)) == {"Plan": ("Team", "–")}
    assert Plan.objects.exists()
    assert send(client, address)["location"] == PLANS
    assert not Plan.objects.exists()
    [act] = StaffAct.objects.all()
    assert (act.kind, act.subject, act.reason) == ("plan.delete", "Team", "Asked by phone")


def test_a_plan_with_prices_stays(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    plan = sell("team", RUB=100_00)["RUB"].plan
    address = f"{PLANS}{plan.pk}/delete/"
    assert address not in client.get(f"{PLANS}{plan.pk}/change/").content.decode()
    assert "This plan has prices." in client.post(address, {"reason": "x", "confirmed": "1"}).content.decode()
    assert Plan.objects.exists()
    assert not StaffAct.objects.exists()

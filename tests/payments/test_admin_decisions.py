"""Staff refund payments, accept or send back parked ones, and put prices on sale in currencies that can be paid.

Each decision is shown before -> after, then confirmed, and happens once however often it is sent.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import StaffAct
from ledger.display import money
from ledger.models import Transaction
from ledger.money import Money
from payments import confirmation, disputes
from payments.gateways.aftermath import DisputeSnapshot, DisputeState
from payments.gateways.sandbox.models import SandboxRefund
from payments.models import Payment, Refund
from subscriptions import books
from subscriptions.models import Plan, Price
from tests.payments import faulty_gateway
from tests.payments.checkouts import start
from tests.payments.rows import balance
from tests.subscriptions.shop import sell
from tests.web import hidden

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(alice: User, choose: Callable[..., Any]) -> Payment:
    return paid_by(alice, choose, "succeeds")


@pytest.fixture
def parked(alice: User, choose: Callable[..., Any]) -> Payment:
    """500.00 of 1000.00 roubles came."""
    return paid_by(alice, choose, "wrong_amount")


@pytest.fixture
def desk(client: Client, staff: User) -> Client:
    """The browser of a member of staff who may act on payments."""
    staff.user_permissions.add(
        *Permission.objects.filter(codename__in=("view_payment", "refund_payment", "decide_payment"))
    )
    client.force_login(staff)
    return client


def paid_by(customer: User, choose: Callable[..., Any], outcome: str) -> Payment:
    payment = start(customer, amount=1000_00, currency="RUB")
    choose(payment, outcome)
    return confirmation.confirm(payment.pk, now=timezone.now())


def url(payment: Payment, page: str) -> str:
    return f"/admin/payments/payment/{payment.pk}/{page}/"


def filled(desk: Client, payment: Payment, page: str, **fields: str) -> dict[str, str]:
    """Return what the page sends: its hidden fields, a reason, and what is filled in."""
    return {**hidden(desk.get(url(payment, page))), "reason": "Asked by mail", **fields}


def send(desk: Client, payment: Payment, page: str, **fields: str) -> Any:
    """Confirm the page twice, as a double click does, and return the second answer."""
    sent = filled(desk, payment, page, **fields) | {"confirmed": "1"}
    desk.post(url(payment, page), sent)
    return desk.post(url(payment, page), sent)


def table(answer: Any) -> dict[str, tuple[str, str]]:
    """Return the table before -> after of a page."""
    return {change.name: (change.before, change.after) for change in answer.context["changes"] or []}


def rub(amount: int) -> str:
    return money(Money(amount, "RUB"))


def acts(staff: User) -> list[tuple[str, list[str], str, str]]:
    """Return kind, rows, result and reason of each act of a member of staff."""
    rows = StaffAct.objects.filter(author=staff).order_by("id")
    return list(rows.values_list("kind", "objects_touched", "result", "reason"))


def test_a_part_is_refunded_once_with_its_author_and_reason(
    desk: Client, paid: Payment, alice: User, staff: User
) -> None:
    assert send(desk, paid, "refund", amount="400", destination="card").status_code == 303
    refund = Refund.objects.get()
    assert (refund.amount, refund.author, refund.reason) == (400_00, staff, "Asked by mail")
    assert balance(alice) == 600_00


def test_the_rest_is_offered_and_goes_to_the_wallet(desk: Client, paid: Payment, alice: User) -> None:
    send(desk, paid, "refund", amount="400", destination="card")
    page = desk.get(url(paid, "refund"))
    assert page.context["form"].initial["amount"] == "600.00"
    send(desk, paid, "refund", amount="600.00", destination="wallet")
    assert (balance(alice), Refund.objects.count()) == (1200_00, 2)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reason": ""}, "This field is required."),
        ({"amount": "1000.01"}, "At most 1000.00 RUB of this payment can still be refunded."),
        ({"amount": "ten"}, "is not an amount"),
    ],
)
def test_a_refund_that_is_not_possible_is_refused_on_the_page(
    desk: Client, paid: Payment, fields: dict[str, str], said: str
) -> None:
    answer = send(desk, paid, "refund", **{"amount": "1000", "destination": "card"} | fields)
    assert (answer.status_code, said in answer.content.decode()) == (200, True)
    assert not Refund.objects.exists()


def test_a_refund_of_money_that_is_spent_says_what_can_go_back(desk: Client, paid: Payment, alice: User) -> None:
    with books.open(alice, "RUB", now=timezone.now()) as book:
        book.take_back(700_00, key="test:spent", to="disputes", reason="chargeback")
    answer = desk.post(url(paid, "refund"), filled(desk, paid, "refund", amount="1000", destination="card"))
    [said] = answer.context["form"].errors["amount"]
    assert said.startswith(f"The balance is {rub(300_00)}: at most that goes back to the card.")
    assert "Top up" not in answer.content.decode()


def test_a_refund_is_shown_first_and_made_on_confirmation(
    desk: Client, paid: Payment, alice: User, staff: User
) -> None:
    sent = filled(desk, paid, "refund", amount="400", destination="card")
    answer = desk.post(url(paid, "refund"), sent)
    assert table(answer) == {
        "Payment": ("confirmed", "confirmed"),
        "Requested": (rub(1000_00), rub(1000_00)),
        "Received": (rub(1000_00), rub(1000_00)),
        "Refunded": (rub(0), rub(400_00)),
        "Can be refunded": (rub(1000_00), rub(600_00)),
        "Balance of the customer": (rub(1000_00), rub(600_00)),
    }
    assert (Refund.objects.count(), balance(alice), acts(staff)) == (0, 1000_00, [])
    assert SandboxRefund.objects.count() == 0
    desk.post(url(paid, "refund"), sent | {"confirmed": "1"})
    assert (Refund.objects.count(), SandboxRefund.objects.count(), balance(alice)) == (1, 1, 600_00)


def test_what_starts_again_is_shown(desk: Client, alice: User, basic: Price, choose: Callable[..., Any]) -> None:
    """A lost dispute has suspended Basic, 990.00 roubles a month. The parked payment brings 1000.00."""
    order, now = start(alice, plan="basic"), timezone.now()
    choose(order, "succeeds")
    confirmation.confirm(order.pk, now=now)
    lost = DisputeSnapshot(
        gateway_id="dp_1", payment=order.gateway_id or "", state=DisputeState.LOST, amount=990_00, currency="RUB"
    )
    disputes.apply("sandbox", lost, now=now)
    payment = start(alice, amount=2000_00, currency="RUB")
    choose(payment, "wrong_amount")
    confirmation.confirm(payment.pk, now=timezone.now())
    assert table(desk.post(url(payment, "accept"), {"reason": "Rounded"}))["Basic"] == ("Suspended", "Active")


def test_a_decision_is_logged_once_with_its_reason(desk: Client, paid: Payment, staff: User) -> None:
    send(desk, paid, "refund", amount="400", destination="card")
    refund = Refund.objects.get()
    rows = [f"payments.payment:{paid.pk}", f"payments.refund:{refund.pk}"]
    said = f"Refund {refund.public_id} of {rub(400_00)} is pending."
    assert acts(staff) == [("payment.refund", rows, said, "Asked by mail")]
    [act] = StaffAct.objects.all()
    assert (act.customer, act.address) == (paid.customer, "127.0.0.1")
    assert ["Balance of the customer", rub(1000_00), rub(600_00)] in act.changes
    staff.user_permissions.add(*Permission.objects.filter(codename__in=("view_staffact", "view_refund")))
    for row in (url(paid, "change"), f"/admin/payments/refund/{refund.pk}/change/"):
        assert "Asked by mail" in desk.get(row).content.decode()


def test_the_second_of_two_members_of_staff_is_asked_again(desk: Client, paid: Payment, alice: User) -> None:
    """Both see 1000.00 roubles and refund 400.00."""
    first, second = (filled(desk, paid, "refund", amount="400", destination="card") for _ in range(2))
    desk.post(url(paid, "refund"), first | {"confirmed": "1"})
    answer = desk.post(url(paid, "refund"), second | {"confirmed": "1"})
    assert "Somebody has refunded this payment meanwhile. Check the new figures." in answer.content.decode()
    assert table(answer)["Refunded"] == (rub(400_00), rub(800_00))
    assert balance(alice) == 600_00
    again = second | hidden(answer) | {"confirmed": "1"}
    assert desk.post(url(paid, "refund"), again).status_code == 303
    assert (again["seen"], balance(alice), Refund.objects.count()) == ("40000", 200_00, 2)


def test_a_parked_payment_is_accepted_once(desk: Client, parked: Payment, alice: User, staff: User) -> None:
    assert send(desk, parked, "accept").status_code == 303
    parked.refresh_from_db()
    assert (parked.status, balance(alice)) == ("confirmed", 500_00)
    credit = Transaction.objects.get(key=f"payment:{parked.public_id}")
    assert (credit.description, credit.author) == ("Asked by mail", staff)
    said = f"{rub(500_00)} was credited to the balance."
    assert acts(staff) == [("payment.accept", [f"payments.payment:{parked.pk}"], said, "Asked by mail")]


def test_a_parked_payment_is_sent_back_once(desk: Client, parked: Payment, alice: User, staff: User) -> None:
    assert send(desk, parked, "send-back").status_code == 303
    parked.refresh_from_db()
    refund = Refund.objects.get()
    assert (parked.status, refund.amount, refund.reason, balance(alice)) == ("cancelled", 500_00, "Asked by mail", 0)
    rows = [f"payments.payment:{parked.pk}", f"payments.refund:{refund.pk}"]
    assert [(kind, touched) for kind, touched, _, _ in acts(staff)] == [("payment.send_back", rows)]


def test_the_exits_of_a_parked_payment_are_shown_first(desk: Client, parked: Payment, alice: User) -> None:
    accepted = table(desk.post(url(parked, "accept"), {"reason": "Rounded"}))
    assert accepted["Payment"] == ("waits for a decision", "confirmed")
    assert accepted["Balance of the customer"] == (rub(0), rub(500_00))
    returned = table(desk.post(url(parked, "send-back"), {"reason": "Wrong sum"}))
    assert returned["Payment"] == ("waits for a decision", "is being sent back")
    assert returned["Refunded"] == (rub(0), rub(500_00))
    assert returned["Balance of the customer"] == (rub(0), rub(0))
    parked.refresh_from_db()
    assert (parked.status, Refund.objects.count(), balance(alice)) == ("unknown", 0, 0)


@pytest.mark.parametrize(("first", "second"), [("accept", "send-back"), ("send-back", "accept")])
def test_of_two_decisions_at_once_the_first_one_counts(
    desk: Client, parked: Payment, alice: User, staff: User, first: str, second: str
) -> None:
    confirmed = {"reason": "Mine", "confirmed": "1"}
    desk.post(url(parked, first), confirmed)
    entries = acts(staff)
    answer = desk.post(url(parked, second), confirmed)
    assert answer.status_code == 200
    assert answer.context["form"].errors != {}
    assert (acts(staff), Refund.objects.count()) == (entries, int(first == "send-back"))
    assert balance(alice) == (500_00 if first == "accept" else 0)


def test_the_page_of_a_payment_offers_what_is_possible(desk: Client, paid: Payment, parked: Payment) -> None:
    for payment, pages in ((paid, {"refund"}), (parked, {"accept", "send-back"})):
        html = desk.get(url(payment, "change")).content.decode()
        offered = {page for page in ("refund", "accept", "send-back") if f'href="{url(payment, page)}"' in html}
        assert offered == pages


def test_staff_who_may_only_view_decide_nothing(client: Client, staff: User, paid: Payment, alice: User) -> None:
    staff.user_permissions.add(Permission.objects.get(codename="view_payment"))
    client.force_login(staff)
    assert url(paid, "refund") not in client.get(url(paid, "change")).content.decode()
    sent = {"form_key": "form_1", "reason": "x", "amount": "1", "destination": "card", "confirmed": "1"}
    assert client.post(url(paid, "refund"), sent).status_code == 403
    assert balance(alice) == 1000_00


def test_a_payment_and_its_refunds_link_to_each_other(
    desk: Client, client: Client, superuser: User, paid: Payment
) -> None:
    send(desk, paid, "refund", amount="400", destination="card")
    refund = Refund.objects.get()
    client.force_login(superuser)
    row = f"/admin/payments/refund/{refund.pk}/change/"
    assert f'href="{row}' in client.get(url(paid, "change")).content.decode()
    for page in ("/admin/payments/refund/", row):
        assert f'href="{url(paid, "change")}"' in client.get(page).content.decode()
    assert client.get("/admin/payments/dispute/").status_code == 200
    assert client.get("/admin/payments/paymentmethod/").status_code == 200


def test_a_price_in_a_currency_that_no_gateway_takes_is_refused(client: Client, superuser: User, settings: Any) -> None:
    settings.GATEWAY_CLASSES = {"euros": faulty_gateway.EUROS}
    settings.PAYMENT_GATEWAYS = ["euros"]
    client.force_login(superuser)
    plan = Plan.objects.create(code="basic", name="Basic")
    address = f"/admin/subscriptions/plan/{plan.pk}/add-price/"
    terms: dict[str, Any] = {"amount": "10", "interval": "month", "interval_count": 1, "trial_days": 0}
    terms |= {"reason": "Asked for", "confirmed": "1"}
    terms |= {"grace_days": 0, "keep_days": 30, "trial_quantity_max": 10, **hidden(client.get(address))}
    refused = client.post(address, terms | {"currency": "JPY"}).content.decode()
    assert "No payment gateway of this site takes JPY. Possible: EUR." in refused
    assert client.post(address, terms | {"currency": "EUR"}).status_code == 303
    assert Price.objects.get().currency == "EUR"


def test_a_new_version_in_a_currency_that_no_gateway_takes_is_refused(
    client: Client, superuser: User, settings: Any
) -> None:
    settings.GATEWAY_CLASSES = {"euros": faulty_gateway.EUROS}
    settings.PAYMENT_GATEWAYS = ["euros"]
    client.force_login(superuser)
    prices = sell("basic", RUB=990_00, EUR=9_90)
    for currency in ("RUB", "EUR"):
        address = f"/admin/subscriptions/price/{prices[currency].pk}/new-version/"
        form = client.get(address).context["form"]
        terms = {name: form[name].value() for name in form.fields}
        terms = {name: value for name, value in terms.items() if value not in (None, "") and value is not False}
        terms |= {"amount": "12", "reason": "Costs have risen", "confirmed": "1"}
        answer = client.post(address, terms)
        if currency == "RUB":
            assert "No payment gateway of this site takes RUB. Possible: EUR." in answer.content.decode()
        else:
            assert answer.status_code == 303
    current = Price.objects.filter(archived_at=None)
    assert sorted(current.values_list("currency", "amount")) == [("EUR", 12_00), ("RUB", 990_00)]


@pytest.mark.parametrize("may_see", [True, False])
def test_the_review_leads_to_the_customer_whom_its_reader_may_see(desk, staff, paid, may_see):
    if may_see:
        staff.user_permissions.add(Permission.objects.get(codename="view_user"))
    page = desk.get(url(paid, "refund")).content.decode()
    assert (f'href="/admin/customers/{paid.customer_id}/"' in page) is may_see
    assert paid.customer.email in page

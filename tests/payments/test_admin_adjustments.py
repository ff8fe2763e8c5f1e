"""Staff credit, debit and write off on the page of a customer; a second person approves what is above the limit."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import StaffAct
from ledger.display import money
from ledger.models import Transaction
from ledger.money import Money
from payments.gateways.manual import transfers
from payments.models import Adjustment
from subscriptions import books, catalogue, orders
from subscriptions.models import Subscription
from tests.ledger.snapshot import found
from tests.payments.gateways.requests import session_request
from tests.payments.rows import balance
from tests.staff import member
from tests.subscriptions.desk import desk
from tests.subscriptions.shop import pay_in, sell
from tests.web import hidden

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.STAFF_CREDIT_LIMIT = {"RUB": 5000, "EUR": 50}


@pytest.fixture
def support(db: None) -> User:
    return member("support", "sue")


@pytest.fixture
def finance(db: None) -> User:
    return member("finance", "fin")


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(customer: User, act: str) -> str:
    return f"/admin/accounts/user/{customer.pk}/{act}/"


def of(row: Adjustment, act: str) -> str:
    return f"/admin/payments/adjustment/{row.pk}/{act}/"


def filled(client: Client, url: str, **fields: str) -> dict[str, str]:
    """Return what the page sends: its hidden fields, a reason, and what is filled in."""
    return {**hidden(client.get(url)), "reason": "Outage of 1 March", "currency": "RUB", **fields}


def send(client: Client, url: str, **fields: str) -> Any:
    """Confirm the page twice, as a double click does, and return the second answer."""
    sent = filled(client, url, **fields) | {"confirmed": "1"}
    client.post(url, sent)
    return client.post(url, sent)


def table(answer: Any) -> dict[str, tuple[str, str]]:
    """Return the table before -> after of a page."""
    return {change.name: (change.before, change.after) for change in answer.context["changes"] or []}


def rub(amount: int) -> str:
    return money(Money(amount, "RUB"))


def owe(customer: User, amount: int) -> None:
    with books.open(customer, "RUB", now=timezone.now()) as book:
        book.take_back(amount, key="test:owe", to="disputes", reason="chargeback")


def test_support_gives_500_for_the_outage_once(alice: User, support: User) -> None:
    desk = browser(support)
    change = f"/admin/accounts/user/{alice.pk}/change/"
    html = desk.get(change).content.decode()
    assert f'href="{page(alice, "credit")}"' in html
    assert f'href="/admin/payments/adjustment/?customer__id__exact={alice.pk}"' in html
    review = desk.post(page(alice, "credit"), filled(desk, page(alice, "credit"), amount="500"))
    assert table(review)["Balance of the customer"] == (rub(0), rub(500_00))
    assert (balance(alice), Adjustment.objects.count()) == (0, 0)
    answer = send(desk, page(alice, "credit"), amount="500")
    assert (answer.status_code, answer["location"]) == (303, f"/admin/customers/{alice.pk}/")
    row = Adjustment.objects.get()
    assert (row.status, row.asked_by, balance(alice)) == ("done", support, 500_00)
    act = StaffAct.objects.get()
    assert (act.kind, act.customer, act.author, act.reason) == ("adjustment.credit", alice, support, row.reason)
    assert act.objects_touched == [f"accounts.user:{alice.pk}", f"payments.adjustment:{row.pk}"]
    assert act.result == f"{rub(500_00)} was credited to the balance."
    assert found() == {}


def test_the_customer_reads_the_reason_in_both_languages(alice: User, support: User) -> None:
    send(browser(support), page(alice, "credit"), amount="500")
    for prefix, label in (("", "Correction"), ("/ru", "Корректировка")):
        listed = browser(alice).get(f"{prefix}/account/transactions/").content.decode()
        assert label in listed
        assert "Outage of 1 March" in listed


def test_a_debit_beyond_the_balance_is_refused_on_the_page(alice: User, support: User) -> None:
    desk = browser(support)
    assert "There is no money on the balance." in desk.get(page(alice, "debit")).content.decode()
    pay_in(alice, 300_00, at=timezone.now())
    answer = desk.post(page(alice, "debit"), filled(desk, page(alice, "debit"), amount="300.01"))
    assert answer.context["form"].errors.keys() == {"amount"}
    assert send(desk, page(alice, "debit"), amount="300,00").status_code == 303
    assert (balance(alice), Transaction.objects.get(reason="adjustment").author) == (0, support)


def test_a_write_off_revives_what_the_debt_had_suspended(alice: User, support: User) -> None:
    now = timezone.now()
    price = sell("free", RUB=0)["RUB"]
    pay_in(alice, 10_00, at=now)
    subscription = orders.subscribe(alice, catalogue.current("free", "RUB"), now=now)
    assert price.pk == subscription.price_id
    owe(alice, 110_00)
    assert Subscription.objects.get().status == "suspended"
    desk = browser(support)
    review = desk.post(page(alice, "write-off"), filled(desk, page(alice, "write-off"), amount="100"))
    assert table(review)["Debt"] == (rub(100_00), rub(0))
    assert table(review)["Free"] == ("Suspended", "Active")
    assert send(desk, page(alice, "write-off"), amount="100").status_code == 303
    assert (Subscription.objects.get().status, balance(alice), found()) == ("active", 0, {})
    assert "The customer owes nothing." in desk.get(page(alice, "write-off")).content.decode()


def test_above_the_limit_it_waits_and_a_second_person_approves(alice: User, support: User, finance: User) -> None:
    desk = browser(support)
    url = page(alice, "credit")
    review = desk.post(url, filled(desk, url, amount="5000.01"))
    assert table(review)["Waits for a second person"][1].endswith(rub(5000_01))
    send(desk, url, amount="5000.01")
    row = Adjustment.objects.get()
    assert (row.status, balance(alice)) == ("waiting", 0)
    assert row.public_id in browser(finance).get("/admin/payments/adjustment/?status__exact=waiting").content.decode()
    # Support is offered to withdraw, finance to decide.
    for user, offered in ((support, {"withdraw"}), (finance, {"approve", "decline"})):
        html = browser(user).get(of(row, "change")).content.decode()
        assert {act for act in ("approve", "decline", "withdraw") if f'href="{of(row, act)}"' in html} == offered
    assert desk.post(of(row, "approve"), {"reason": "x", "confirmed": "1"}).status_code == 403
    second = browser(finance)
    review = second.post(of(row, "approve"), filled(second, of(row, "approve")))
    assert table(review)["Balance of the customer"] == (rub(0), rub(5000_01))
    assert table(review)["Status"] == ("waits for approval", "done")
    assert send(second, of(row, "approve"), reason="Checked").status_code == 303
    row.refresh_from_db()
    assert (row.status, row.decided_by, row.decision_reason, balance(alice)) == ("done", finance, "Checked", 5000_01)
    moved = Transaction.objects.get(key=f"adjustment:{row.public_id}")
    html = second.get(of(row, "change")).content.decode()
    assert f'href="/admin/ledger/transaction/{moved.pk}/change/"' in html
    act = StaffAct.objects.get(kind="adjustment.approve")
    assert (act.author, act.customer) == (finance, alice)
    assert act.objects_touched == [f"payments.adjustment:{row.pk}"]
    assert found() == {}


def test_parts_that_pass_the_limit_together_wait(alice: User, support: User) -> None:
    desk = browser(support)
    for _ in range(2):
        send(desk, page(alice, "credit"), amount="3000")
    assert list(Adjustment.objects.order_by("id").values_list("status", flat=True)) == ["done", "waiting"]
    assert balance(alice) == 3000_00


def test_who_asked_does_not_approve_on_the_page(alice: User, finance: User) -> None:
    desk = browser(finance)
    send(desk, page(alice, "credit"), amount="6000")
    row = Adjustment.objects.get()
    html = desk.get(of(row, "change")).content.decode()
    assert {act for act in ("approve", "decline", "withdraw") if f'href="{of(row, act)}"' in html} == {"withdraw"}
    answer = send(desk, of(row, "approve"))
    assert "You asked for it yourself. A second person must decide." in answer.content.decode()
    row.refresh_from_db()
    assert (row.status, balance(alice)) == ("waiting", 0)
    assert send(desk, of(row, "withdraw")).status_code == 303
    row.refresh_from_db()
    assert (row.status, row.decided_by) == ("withdrawn", finance)


def test_the_second_of_two_decisions_is_refused(alice: User, support: User, finance: User) -> None:
    send(browser(support), page(alice, "credit"), amount="6000")
    row = Adjustment.objects.get()
    first, second = browser(finance), browser(member("finance", "flo"))
    late = filled(second, of(row, "approve")) | {"confirmed": "1"}
    assert send(first, of(row, "decline")).status_code == 303
    assert second.post(of(row, "approve"), late).status_code == 200
    row.refresh_from_db()
    assert (row.status, balance(alice)) == ("declined", 0)


@pytest.mark.parametrize("role", ["catalogue", "developer", "auditor"])
def test_other_roles_adjust_nothing(alice: User, support: User, role: str) -> None:
    send(browser(support), page(alice, "credit"), amount="6000")
    row, desk = Adjustment.objects.get(), browser(member(role))
    for url in (
        *(page(alice, act) for act in ("credit", "debit", "write-off")),
        of(row, "approve"),
        of(row, "withdraw"),
    ):
        assert desk.get(url).status_code == 403
    if role != "catalogue":
        assert page(alice, "credit") not in desk.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
        assert desk.get(of(row, "change")).status_code == 200


@pytest.mark.parametrize("amount", ["", "0", "-5", "ten", "1.234"])
def test_a_wrong_amount_names_its_field(alice: User, support: User, amount: str) -> None:
    answer = send(browser(support), page(alice, "credit"), amount=amount)
    assert answer.context["form"].errors.keys() == {"amount"}
    assert Adjustment.objects.count() == 0


def test_the_pages_take_few_queries(
    alice: User, support: User, finance: User, django_assert_max_num_queries: Any
) -> None:
    for currency in ("RUB", "EUR"):
        pay_in(alice, 10_00, currency, at=timezone.now())
    for amount in ("6000", "7000", "8000"):
        send(browser(support), page(alice, "credit"), amount=amount)
    row = Adjustment.objects.latest("id")
    for user, url in (
        (support, f"/admin/accounts/user/{alice.pk}/change/"),
        (support, page(alice, "credit")),
        (finance, of(row, "approve")),
        (finance, of(row, "change")),
        (finance, "/admin/payments/adjustment/"),
    ):
        desk = browser(user)
        # The first page of a session also notes the browser.
        desk.get("/admin/password_change/")
        with django_assert_max_num_queries(12):
            assert desk.get(url).status_code == 200


def test_support_cannot_record_a_bank_transfer_and_finance_can(support: User, finance: User) -> None:
    transfer = transfers.open_for(session_request(), now=timezone.now())
    record = f"/admin/manual/manualtransfer/{transfer.pk}/record/"
    assert [browser(user).get(record).status_code for user in (support, finance)] == [403, 200]


def test_the_currency_is_chosen_where_there_are_several(alice: User) -> None:
    """Money left in euros does not make a credit of 500 roubles one of euros."""
    finance, address = desk("finance"), f"/admin/accounts/user/{alice.pk}/credit/"
    pay_in(alice, 1000_00)
    assert finance.get(address).context["form"].fields["currency"].choices[0] == ("RUB", "RUB")
    pay_in(alice, 10_00, currency="EUR")
    page = finance.get(address)
    assert [code for code, _ in page.context["form"].fields["currency"].choices][:3] == ["", "EUR", "RUB"]
    answer = finance.post(address, {**hidden(page), "amount": "500", "currency": "", "reason": "Outage"})
    assert list(answer.context["form"].errors) == ["currency"]


def test_the_page_of_an_act_names_the_customer(alice: User) -> None:
    page = desk("finance").get(f"/admin/accounts/user/{alice.pk}/credit/").content.decode()
    assert f'Customer: <b><a href="/admin/customers/{alice.pk}/">alice</a></b> · alice@example.com' in page


def test_the_page_of_an_act_names_the_customer_in_the_words_of_the_desk(alice: User, finance: User) -> None:
    User.objects.filter(pk=finance.pk).update(language="ru")
    text = browser(User.objects.get(pk=finance.pk)).get(page(alice, "credit")).content.decode()
    assert f'Клиент: <b><a href="/admin/customers/{alice.pk}/">alice</a></b>' in text
    # It is the buyer on receipts.
    assert "Покупатель" not in text

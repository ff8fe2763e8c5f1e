"""The explanation of a transaction: only its customer can open it, and staff see the same in the admin."""

import re

import pytest
from django.contrib.auth.models import Permission

from ledger.models import Transaction
from payments import checkout, confirmation
from subscriptions import catalogue, orders
from subscriptions.books import OpenBook
from subscriptions.models import Charge
from tests.subscriptions.bank import at, guards_off, settle
from tests.subscriptions.shop import pay_in, sell
from tests.web import act, bought, heading, words

MATCHES, DIFFERS = "Recalculated just now: the amount is correct.", "Checked: wrong"


def last(reason: str = "charge") -> Transaction:
    return Transaction.objects.filter(reason=reason).latest("id")


def page_url(row: Transaction, prefix: str = "") -> str:
    return f"{prefix}/account/transactions/txn_{row.pk}/"


def test_an_advance_payment_costs_price_times_quantity_times_periods(clock, browser, alice):
    # 690.00 x 2 x 3
    bought(alice, "standard", paid_in=5000_00, quantity=2, periods=3)
    answer = browser.get(page_url(last()))
    page = words(answer)
    assert heading(answer) == "Standard"
    assert "Plan Standard Price ₽690.00 a month Quantity 2" in page
    assert "Payment period 3 months From 1 March 2026, 12:00\u00a0UTC To 1 June 2026, 12:00\u00a0UTC" in page
    assert "₽690.00 a month × 2 × 3 months = ₽4,140.00" in page
    assert "The exact calculation Price version 1 Recalculated ₽4,140.00 Charged ₽4,140.00" in page
    assert MATCHES in page


def test_microseconds_stand_only_in_the_exact_calculation(clock, browser, alice):
    """Use of 40.305595 s, and a refund for 15 days and 12 hours less the same, which is worth 345.00 - 0.0104."""
    bought(alice, "hourly", paid_in=100_00)
    settle(alice, at(seconds=40.305595))
    first, exact = words(browser.get(page_url(last()))).split("The exact calculation")
    assert "₽1.50 an hour × ≈40 s = ₽0.02, rounded up" in first
    assert "40.305595" not in first
    assert "Duration 40.305595 s" in exact
    row = bought(alice, "standard", paid_in=690_00, when=at(minutes=1))
    act(row, at(days=15, hours=12, minutes=1, seconds=40.305595), lambda book: book.end(row, refund_unused=True))
    refund = Transaction.objects.filter(reason="unused_refund").get()
    first, exact = words(browser.get(page_url(refund))).split("The exact calculation")
    assert "× ≈15 days 11 h 59 min 19 s of 31 days = ₽344.98, rounded down" in first
    assert "19.694405" not in first
    assert "Duration 15 days 11 h 59 min 19.694405 s" in exact


def test_metered_use_shows_its_exact_time_and_what_was_left(clock, browser, alice):
    """1.50 an hour is a kopeck in 24 s. 36 s use 1.5: 2 are charged. With the half left, 40 s more need 1.1667."""
    bought(alice, "hourly", paid_in=100_00)
    settle(alice, at(seconds=36))
    settle(alice, at(seconds=76))
    page = words(browser.get(page_url(last())))
    first, exact = page.split("The exact calculation")
    assert "From 1 March 2026, 12:00\u00a0UTC To 1 March 2026, 12:01\u00a0UTC Duration 40 s" in first
    assert "12:00:36" not in first
    assert "From 2026-03-01 12:00:36 UTC To 2026-03-01 12:01:16 UTC Duration 40 s" in exact
    assert "Left from the previous charge 0.5 × ₽0.01 Left for the next charge ≈0.833333 × ₽0.01" in page
    assert "₽1.50 an hour × 40 s − the part of ₽0.01 already paid = ₽0.02, rounded up" in page
    assert "Use is charged in advance, ₽0.01 at a time. 0.5 × ₽0.01 was left from the previous charge." in page
    assert "≈0.833333 × ₽0.01 is not used yet and counts towards the next charge." in page
    assert "(150 × 40000000 − 1800000000) ÷ 3600000000 = 2, rounded up" in page
    assert "left for the next charge: 3000000000 ÷ 3600000000" in page
    assert MATCHES in page
    page = words(browser.get(page_url(last(), "/ru")))
    assert (
        "Использование оплачивается вперёд, по 0,01\u00a0₽. От прошлого списания оставалось 0,5 × 0,01\u00a0₽." in page
    )
    assert "≈0,833333 × 0,01\u00a0₽ ещё не использовано и зачтётся в следующем списании." in page


def test_a_larger_quantity_costs_the_difference(clock, browser, alice):
    """From 2 to 5 after 10 of 31 days: 3 x 690.00 x 21 / 31 = 1402.258..."""
    subscription = bought(alice, "standard", paid_in=5000_00, quantity=2)
    act(subscription, at(days=10), lambda book: book.change_quantity(subscription, 5))
    page = words(browser.get(page_url(last())))
    assert "−₽1,402.26 Charge, 11 March 2026, 12:00\u00a0UTC Standard, 11 Mar 2026 to 1 Apr 2026" in page
    assert "Quantity before 2 Quantity 5 Payment period 1 month" in page
    assert "Time left 21 of 31 days" in page
    assert "₽690.00 a month × 3 × 1 month × 21 of 31 days = ₽1,402.26, rounded up" in page
    assert MATCHES in page


def test_a_smaller_quantity_is_refunded(clock, browser, alice):
    """From 5 to 2 after 10 of 31 days: 3 x 690.00 x 21 / 31 = 1402.258..."""
    subscription = bought(alice, "standard", paid_in=5000_00, quantity=5)
    act(subscription, at(days=10), lambda book: book.change_quantity(subscription, 2))
    page = words(browser.get(page_url(last("unused_refund"))))
    assert "+₽1,402.25" in page
    assert "Quantity before 5 Quantity 2 Payment period 1 month" in page
    assert "₽690.00 a month × 3 × 1 month × 21 of 31 days = ₽1,402.25, rounded down" in page
    assert MATCHES in page


@pytest.fixture
def in_debt(clock, browser, alice, now):
    """Sell a plan for 310.00 a month with 3 days of grace. April was not paid: 10.00 of 31.00 were on the balance."""
    price = sell("weak", RUB=310_00, grace_days=3)["RUB"]
    pay_in(alice, 320_00, at=now)
    orders.subscribe(alice, price, now=now)
    settle(alice, at(days=34))
    clock.move_to(at(days=34))
    browser.force_login(alice)
    return Charge.objects.latest("id")


def test_grace_shows_what_the_balance_paid_and_the_debt(in_debt, browser):
    page = words(browser.get(page_url(in_debt.transaction)))
    assert "−₽10.00 Charge, 4 April 2026, 12:00\u00a0UTC Weak, 1 Apr 2026 to 4 Apr 2026" in page
    assert "Payment overdue for 3 of 30 days From the balance ₽10.00 Debt ₽21.00" in page
    assert "₽310.00 a month × 1 month × 3 of 30 days = ₽31.00" in page
    assert "₽10.00 was charged to the balance and ₽21.00 became a debt." in page
    assert "Recalculated ₽31.00 Charged ₽31.00" in page
    assert MATCHES in page
    assert "Balance after ₽0.00" in page


def test_the_debt_for_grace_is_explained_too(in_debt, browser, client, mallory, superuser):
    address = page_url(in_debt.debt_transaction)
    page = words(browser.get(address))
    assert "−₽21.00" in page
    assert "₽10.00 was charged to the balance and ₽21.00 became a debt." in page
    assert MATCHES in page
    assert "Balance after" not in page
    client.force_login(mallory)
    assert client.get(address).status_code == 404
    client.force_login(superuser)
    staff_page = client.get(f"/admin/ledger/transaction/{in_debt.debt_transaction_id}/change/").content.decode()
    assert "₽10.00 was charged to the balance and ₽21.00 became a debt." in staff_page


def test_a_debt_that_is_paid_reads_well_in_both_languages(in_debt, browser, alice):
    pay_in(alice, 21_00, at=at(days=35))
    row = last("debt_payment")
    page = words(browser.get(page_url(row)))
    assert "Debt paid: ₽21.00. Money that comes in pays a debt first." in page
    assert "The balance was ₽21.00 before and ₽0.00 after." in page
    page = words(browser.get(page_url(row, "/ru")))
    assert "Оплата долга: 21,00\u00a0₽. Поступившие деньги сначала идут на оплату долга." in page


def test_unused_time_is_refunded_in_proportion(clock, browser, alice):
    """Cancelled after 10 of 31 days: 690.00 x 21 / 31 = 467.419..."""
    subscription = bought(alice, "standard", paid_in=690_00)
    act(subscription, at(days=10), lambda book: OpenBook.cancel(book, subscription, when="now", refund_unused=True))
    answer = browser.get(page_url(last("unused_refund")))
    assert "+₽467.41" in words(answer)
    assert "Unused 21 of 31 days" in words(answer)
    assert "₽690.00 a month × 1 month × 21 of 31 days = ₽467.41, rounded down" in words(answer)
    assert f"/account/subscriptions/{subscription.public_id}/" in answer.content.decode()


def test_a_top_up_links_to_its_payment(client, browser, alice, now):
    payment = checkout.start(alice, now=now, amount=500_00, currency="RUB", gateway="sandbox")
    client.post(f"/sandbox/pay/{payment.gateway_id}/", {"outcome": "succeeds"})
    confirmation.confirm(payment.pk, now=now)
    answer = browser.get(page_url(last("top_up")))
    assert f'href="/pay/{payment.public_id}/"' in answer.content.decode()
    assert "Top-up: ₽500.00, from the payment gateway sandbox." in words(answer)
    assert "The balance was ₽0.00 before and ₽500.00 after." in words(answer)
    assert MATCHES not in words(answer)


def test_a_tampered_transaction_shows_expected_and_posted_amounts(clock, browser, alice):
    """Two hours at 1.50."""
    bought(alice, "hourly", paid_in=100_00)
    settle(alice, at(hours=2))
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(reason="charge").update(amount=3_01)
    page = words(browser.get(page_url(last())))
    assert DIFFERS in page
    assert MATCHES not in page
    assert "it should be ₽3.00, but the transaction says ₽3.01. Please contact support." in page
    assert "Recalculated ₽3.00 Charged ₽3.01" in page


def test_a_tampered_rest_is_shown_as_recorded(clock, browser, alice):
    """Half a kopeck is recorded as left before, and a quarter of one after."""
    bought(alice, "hourly", paid_in=100_00)
    settle(alice, at(hours=2))
    with guards_off("subscriptions_charge"):
        Charge.objects.update(credit_before=1_800_000_000, credit_after=900_000_000)
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(reason="charge").update(amount=2_99)
    page = words(browser.get(page_url(last())))
    # 300 - 0.5 = 299.5 kopecks
    assert "₽1.50 an hour × 2 h − the part of ₽0.01 already paid = ₽3.00, rounded up" in page
    assert "it should be ₽3.00, but the transaction says ₽2.99." in page
    assert "0.5 × ₽0.01 should be left for the next charge, but 0.25 × ₽0.01 is recorded." in page
    assert DIFFERS in page


def test_every_transaction_and_charge_links_to_its_explanation(clock, browser, alice):
    subscription = bought(alice, "standard", paid_in=690_00)
    act(subscription, at(days=10), lambda book: OpenBook.cancel(book, subscription, when="now", refund_unused=True))
    all_pages = {page_url(row) for row in Transaction.objects.filter(customer=alice)}
    assert len(all_pages) == 3
    for address in ("/account/transactions/", "/account/"):
        assert links(browser.get(address)) == all_pages, address
    own = links(browser.get(f"/account/subscriptions/{subscription.public_id}/"))
    assert own == {page_url(last("charge")), page_url(last("unused_refund"))}


def links(answer) -> set[str]:
    return set(re.findall(r'href="(/account/transactions/txn_\d+/)"', answer.content.decode()))


def test_another_customers_transaction_is_not_found(client, browser, alice, mallory, staff, now):
    pay_in(alice, 1_00, at=now)
    row = last("top_up")
    assert browser.get(page_url(row)).status_code == 200
    assert "no-store" in browser.get(page_url(row))["Cache-Control"]
    answer = client.get(page_url(row))
    assert (answer.status_code, answer["location"].split("?")[0]) == (302, "/login/")
    for thief in (mallory, staff):
        client.force_login(thief)
        assert client.get(page_url(row)).status_code == 404
    assert browser.get(f"/account/transactions/txn_{'9' * 30}/").status_code == 404


def test_the_russian_page_has_no_english_sentence(browser, alice, now):
    pay_in(alice, 2000_00, at=now)
    orders.subscribe(alice, catalogue.current("hourly", "RUB"), now=now)
    subscription = orders.subscribe(alice, catalogue.current("standard", "RUB"), now=now)
    settle(alice, now + (at(seconds=20) - at()))
    settle(alice, now + (at(hours=5) - at()))
    act(subscription, now + (at(hours=6) - at()), lambda book: book.change_quantity(subscription, 2))
    act(subscription, now + (at(hours=7) - at()), lambda book: book.change_quantity(subscription, 1))
    act(
        subscription,
        now + (at(days=1) - at()),
        lambda book: OpenBook.cancel(book, subscription, when="now", refund_unused=True),
    )
    for row in Transaction.objects.filter(customer=alice):
        html = browser.get(page_url(row, "/ru")).content.decode()
        text = re.sub(r"<(script|svg|style).*?</\1>|<[^>]+>", " | ", html.split("<body")[1], flags=re.DOTALL)
        assert re.findall(r"[A-Za-z]{2,} [A-Za-z]{2,}", text.replace("Acme Billing", "")) == [], row.reason


@pytest.fixture
def auditor(staff):
    """A staff user who can view transactions and nothing else."""
    staff.user_permissions.add(Permission.objects.get(codename="view_transaction"))
    return staff


def test_staff_with_permission_see_the_explanation(client, clock, on_sale, alice, auditor):
    bought(alice, "hourly", paid_in=100_00)
    settle(alice, at(hours=2))
    address = f"/admin/ledger/transaction/{last().pk}/change/"
    client.force_login(auditor)
    page = client.get(address).content.decode()
    assert "₽1.50 an hour × 2 h = ₽3.00" in page
    assert MATCHES in page
    with guards_off("ledger_transaction"):
        Transaction.objects.filter(reason="charge").update(amount=3_01)
    page = client.get(address).content.decode()
    assert "Checked: wrong" in page
    assert "it should be ₽3.00, but the transaction says ₽3.01." in page


def test_staff_without_permission_and_customers_cannot_open_it(client, clock, on_sale, alice, mallory, staff):
    bought(alice, "standard", paid_in=690_00)
    address = f"/admin/ledger/transaction/{last().pk}/change/"
    client.force_login(staff)
    assert client.get(address).status_code == 403
    for customer in (alice, mallory):
        client.force_login(customer)
        assert client.get(address)["location"].startswith("/admin/login/")


def test_a_subscriptions_charges_link_staff_to_the_explanation(client, clock, on_sale, alice, superuser):
    subscription = bought(alice, "standard", paid_in=690_00)
    act(subscription, at(days=10), lambda book: OpenBook.cancel(book, subscription, when="now", refund_unused=True))
    client.force_login(superuser)
    page = client.get(f"/admin/subscriptions/subscription/{subscription.pk}/change/").content.decode()
    for row in (last("charge"), last("unused_refund")):
        assert f'<a href="/admin/ledger/transaction/{row.pk}/change/">Explain' in page

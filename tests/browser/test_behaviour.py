"""What our JavaScript adds, and that everything works without it."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Route, expect

from accounts.models import User
from payments import checkout, tasks
from payments.gateways.sandbox import tasks as sandbox_tasks
from payments.models import Payment
from subscriptions import catalogue, orders
from subscriptions.models import Charge, Subscription
from tests.subscriptions.shop import pay_in, wallet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct-horse-battery"


def test_a_double_click_pays_once(visit, alice):
    window = visit(alice)
    page = window.to("/checkout/standard/?currency=RUB")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name=re.compile("Pay ₽690.00 and subscribe")).dblclick()
    page.wait_for_url("**/sandbox/pay/**")
    assert len(posts) == 1
    assert Payment.objects.filter(customer=alice).count() == 1


def test_going_back_and_sending_the_form_again_continues_the_same_payment(visit, alice):
    """Whatever the browser shows after Back: the sent form, or a new one with another key."""
    page = visit(alice).to("/checkout/standard/?currency=RUB")
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url("**/sandbox/pay/**")
    gateway_url = page.url
    for _again in range(2):
        page.go_back()
        page.get_by_role("button", name=re.compile("Pay ₽")).dblclick()
        page.wait_for_url(gateway_url)
    assert Payment.objects.filter(customer=alice).count() == 1
    assert Subscription.objects.filter(customer=alice).count() == 1


def test_a_waiting_page_shows_the_result_and_moves_the_focus_to_it(visit, alice):
    """The payment is confirmed elsewhere, and the page shows it without a click."""
    window = visit(alice)
    page = window.to("/topup/?currency=RUB&amount=500")
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url("**/sandbox/pay/**")
    payment = Payment.objects.get()
    window.to(f"/pay/{payment.public_id}/")
    assert window.heading() == "Continue to payment"
    other = visit(None)
    other.to(f"/sandbox/pay/{payment.gateway_id}/")
    other.page.locator("input[value=succeeds]").check()
    other.page.get_by_role("button", name=re.compile("Pay ₽")).click()
    sandbox_tasks.deliver_sandbox_webhooks()
    tasks.process_gateway_webhooks("sandbox")
    expect(page.locator("h1")).to_have_text("Payment received", timeout=20_000)
    expect(page.locator("h1")).to_be_focused()
    assert page.title().startswith("Payment received · ")
    assert wallet(alice, "RUB").balance == 500_00
    assert window.console == []


def test_a_newly_typed_amount_is_shown_before_it_is_paid(visit, alice):
    """Without JavaScript: Enter updates the total, and the pay button shows the new amount first."""
    window = visit(alice, java_script_enabled=False)
    page = window.to("/topup/?currency=RUB")
    page.get_by_label("Another amount").fill("1234,5")
    page.get_by_role("button", name=re.compile("Pay ₽1,000.00")).click()
    expect(page.get_by_text("You have not been charged").first).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Pay ₽1,234.50"))).to_be_enabled()
    page.get_by_label("Another amount").fill("700")
    page.get_by_label("Another amount").press("Enter")
    page.wait_for_url("**/topup/?currency=RUB&amount=700")
    page = window.to("/checkout/standard/?currency=RUB")
    page.get_by_label("Quantity").fill("3")
    page.get_by_role("button", name=re.compile("Pay ₽690.00")).click()
    expect(page.get_by_role("button", name=re.compile("Pay ₽2,070.00"))).to_be_enabled()
    page.get_by_label("Quantity").press("Enter")
    page.wait_for_url("**/checkout/standard/?currency=RUB&quantity=3&periods=1")
    assert not Payment.objects.exists()


def test_sums_follow_what_is_typed(visit, alice):
    """The field keeps its text and the focus, the choices stay, and the form pays what its button says."""
    pay_in(alice, 1000_00, "RUB")
    window = visit(alice)
    page = window.to("/checkout/standard/?currency=RUB")
    expect(page.get_by_role("button", name="Update total")).to_have_count(0)
    page.get_by_label("Test payment page").check()
    page.get_by_label("Renew automatically").uncheck()
    key = page.locator("[name=form_key]").input_value()
    quantity = page.get_by_label("Quantity")
    quantity.fill("3")
    expect(page.get_by_role("button", name=re.compile("Pay ₽2,070.00"))).to_be_visible()
    expect(quantity).to_be_focused()
    expect(page.get_by_label("Account balance")).to_have_count(0)  # 1000.00 are not enough for three
    expect(page.get_by_label("Test payment page")).to_be_checked()
    expect(page.get_by_label("Renew automatically")).not_to_be_checked()
    assert "3 × Standard" in page.locator("aside").inner_text()
    assert page.locator("[name=form_key]").input_value() == key
    quantity.press("Enter")  # shows, and does not pay
    page.get_by_role("button", name=re.compile("Pay ₽2,070.00")).click()
    page.wait_for_url("**/sandbox/pay/**")
    assert Payment.objects.get().amount == 2070_00
    page = window.to("/topup/?currency=RUB")
    page.get_by_label("Another amount").fill("₽ 1 234,5")
    expect(page.get_by_role("button", name=re.compile("Pay ₽1,234.50"))).to_be_visible()
    expect(page.get_by_label("Another amount")).to_have_value("₽ 1 234,5")
    page.get_by_role("button", name=re.compile("Pay ₽1,234.50")).click()
    page.wait_for_url("**/sandbox/pay/**")
    assert Payment.objects.latest("id").amount == 1234_50
    assert window.console == []


def test_an_amount_with_two_meanings_is_asked_back_as_it_is_typed(visit, alice):
    """`1.000` may be one or a thousand: there is no button for another amount beside it. The console stays empty."""
    window = visit(alice)
    page = window.to("/topup/?currency=RUB")
    pay = page.get_by_role("button", name=re.compile("^Pay "))
    expect(pay).to_be_visible()
    page.get_by_label("Another amount").fill("1.000")
    expect(pay).to_have_count(0)
    expect(page.locator("[data-part=sum]")).to_contain_text("Enter 1000 for ₽1,000.00, or 1.00 for ₽1.00.")
    page.get_by_label("Another amount").fill("1000")
    expect(page.get_by_role("button", name=re.compile("Pay ₽1,000.00"))).to_be_visible()
    assert window.console == []


def test_without_an_answer_the_server_asks_before_it_takes_another_sum(visit, alice):
    page = visit(alice).to("/checkout/standard/?currency=RUB")
    page.route("**/*quantity=3*", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.get_by_label("Quantity").fill("3")
    page.get_by_role("button", name=re.compile("Pay ₽690.00")).click()
    expect(page.get_by_text("You have not been charged").first).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Pay ₽2,070.00"))).to_be_visible()
    assert not Payment.objects.exists()


def test_the_later_of_two_answers_wins(visit, alice):
    """The answer about three comes after that about four, and is not shown."""
    page = visit(alice).to("/checkout/standard/?currency=RUB")
    held: list[Route] = []
    page.route("**/*quantity=3*", lambda route: held.append(route))
    with page.expect_request("**/*quantity=3*"):
        page.get_by_label("Quantity").fill("3")
    page.get_by_label("Quantity").fill("4")
    expect(page.get_by_role("button", name=re.compile("Pay ₽2,760.00"))).to_be_visible()
    with page.expect_response("**/*quantity=3*") as late:
        held[0].continue_()
    late.value.finished()
    expect(page.get_by_role("button", name=re.compile("Pay ₽2,760.00"))).to_be_visible()
    assert page.url.endswith("quantity=4")


def test_copy_says_that_it_copied_and_then_offers_it_again(visit, alice):
    """A second click meanwhile does not keep the button at what it says."""
    payment = checkout.start(alice, now=datetime.now(UTC), amount=500_00, currency="RUB", gateway="sandbox")
    window = visit(alice, permissions=["clipboard-read", "clipboard-write"])
    window.page.clock.install()
    page = window.to(f"/pay/{payment.public_id}/")
    button = page.locator("[data-copy]")
    button.click()
    expect(button).to_have_text("Reference copied")
    button.click()
    assert page.evaluate("navigator.clipboard.readText()") == payment.public_id
    page.clock.run_for(5000)
    expect(button).to_have_text("Copy")


def test_metered_use_from_the_balance_says_that_nothing_is_paid_now(visit, alice):
    """A gateway takes 100.00 at least; from the balance nothing is charged now. The chosen method changes the texts."""
    pay_in(alice, 100_00, "RUB")
    page = visit(alice, java_script_enabled=False).to("/checkout/hourly/?currency=RUB")
    start, pay = page.get_by_role("button", name="Start using my balance"), page.get_by_role("button", name="Pay ₽")
    expect(start).to_be_visible()
    expect(pay).to_have_count(0)
    assert "You pay now\n₽0.00" in page.locator("aside").inner_text()
    assert "from your balance of ₽100.00" in page.locator("main").inner_text()
    page.get_by_label("Test payment page").check()
    expect(pay).to_be_visible()
    assert "You pay now\n₽100.00" in page.locator("aside").inner_text()
    page.get_by_label("Account balance").check()
    start.click()
    page.wait_for_url("**/account/subscriptions/**")
    assert Subscription.objects.get(customer=alice).status == "active"
    assert wallet(alice, "RUB").balance == 100_00
    assert not Payment.objects.exists()


def test_the_error_summary_has_the_focus_and_links_to_the_field(visit, alice):
    page = visit(alice).to("/topup/?currency=EUR&amount=0", expect=422)
    expect(page.locator("[data-error-summary]")).to_be_focused()
    page.get_by_role("link", name="The amount must be at least €1.00").click()
    expect(page.get_by_label("Another amount")).to_be_focused()
    assert page.title().startswith("Error: ")


@pytest.mark.parametrize("width", [320, 390])
def test_the_whole_menu_fits_on_a_phone(visit, superuser, width):
    """No item may lie outside the screen: the four places at the bottom, and the menu of what is rarer."""
    for address in ("/account/", "/ru/account/"):
        page = visit(superuser, width=width).to(address)
        page.locator(".menu > summary").click()
        boxes = [each.bounding_box() for each in page.locator(":is(.nav a, .menu :is(a, button))").all()]
        assert len(boxes) == 9
        assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)


@pytest.mark.parametrize("app", ["payments/payment", "ledger/transaction", "subscriptions/subscription"])
def test_admin_lists_fit_a_1280_pixel_screen(visit, superuser, alice, app):
    """No column is cut off next to the filters."""
    pay_in(alice, 1_234_567_00, "RUB", at=datetime.now(UTC))
    checkout.start(alice, now=datetime.now(UTC), plan="standard", currency="RUB", gateway="sandbox")
    page = visit(superuser, width=1280).to(f"/admin/{app}/")
    results = page.locator(".results")
    expect(results.locator("tbody tr")).not_to_have_count(0)
    assert results.evaluate("box => box.scrollWidth - box.clientWidth") <= 0


def test_the_first_tab_stop_skips_to_the_content(visit):
    page = visit().to("/pricing/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_text_at_double_size_still_fits(visit, alice):
    for address in ("/pricing/", "/account/", "/checkout/standard/"):
        window = visit(alice, width=640)
        page = window.to(address)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.documentElement.scrollWidth") <= 640, address


def test_sign_up_to_cancellation_works_without_javascript(visit):
    window = visit(java_script_enabled=False)
    page = window.to("/pricing/?currency=RUB")
    page.get_by_role("link", name="Choose Standard").click()
    page.fill("[name=username]", "olga")
    page.fill("[name=email]", "olga@example.com")
    page.fill("[name=password1]", PASSWORD)
    page.locator("main button").click()

    page.wait_for_url("**/checkout/standard/?currency=RUB")
    page.get_by_role("link", name="3 months").click()
    page.get_by_role("button", name=re.compile("Pay ₽2,070.00 and subscribe")).click()
    page.locator("input[value=succeeds]").check()
    page.get_by_role("button", name=re.compile("Pay ₽")).click()

    page.wait_for_url("**/pay/**")
    assert window.heading() == "Payment received"
    page.get_by_role("link", name="Go to your account").click()
    expect(page.locator("main")).to_contain_text("Standard")
    expect(page.locator("main")).to_contain_text("Active")
    page.get_by_role("link", name="Manage").click()
    page.get_by_role("link", name="Cancel plan").click()
    page.get_by_role("button", name="Cancel plan").click()
    expect(page.locator("main")).to_contain_text("You cancelled it. You keep it until")
    olga = User.objects.get(username="olga")
    assert Subscription.objects.get(customer=olga).cancel_requested
    # 690.00 x 3 was paid in and charged.
    assert wallet(olga, "RUB").balance == 0
    page.locator(".menu > summary").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


def test_an_upgrade_that_needs_a_payment_works_without_javascript(visit, alice):
    """One button pays what is missing, and the change is made with it."""
    now = datetime.now(UTC)
    pay_in(alice, 700_00, at=now)
    row = orders.subscribe(alice, catalogue.current("standard", "RUB"), now=now)
    window = visit(alice, java_script_enabled=False)
    page = window.to("/account/")
    page.get_by_role("link", name="Change plan").click()
    expect(page.get_by_role("radio", name="Standard Your plan")).to_be_disabled()
    page.get_by_role("radio", name="Premium").check()
    page.get_by_role("button", name="Show amounts").click()
    # 10.00 are left and 690.00 less some kopecks are refunded, so a little more than 790.00 is missing.
    expect(page.locator("h1")).to_have_text("Change to Premium")
    page.get_by_role("button", name=re.compile("Pay ₽79[0-3].* and change to Premium")).click()
    page.wait_for_url("**/sandbox/pay/**")
    page.locator("input[value=succeeds]").check()
    page.get_by_role("button", name=re.compile("Pay ₽")).click()
    page.wait_for_url("**/pay/pay_*/")
    expect(page.locator("main")).to_contain_text("Premium is active.")
    row.refresh_from_db()
    assert (row.price.plan.code, row.status) == ("premium", "active")
    assert Payment.objects.get(customer=alice).status == "confirmed"


def test_a_double_click_on_a_quote_changes_the_plan_once(visit, alice):
    now = datetime.now(UTC)
    pay_in(alice, 2000_00, at=now)
    row = orders.subscribe(alice, catalogue.current("standard", "RUB"), now=now)
    page = visit(alice).to(f"/account/subscriptions/{row.public_id}/change/?plan=basic&when=now")
    page.locator("main form button").dblclick()
    page.wait_for_url(f"**/account/subscriptions/{row.public_id}/")
    assert Charge.objects.filter(subscription=row).count() == 2

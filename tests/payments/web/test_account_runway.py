"""The account page warns before a wallet runs out, and more urgently the closer that is."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from payments import checkout, methods
from payments.collection import consents, top_ups
from payments.gateways.methods import Method
from payments.models import PaymentMethod
from subscriptions.books import OpenBook
from tests.subscriptions.bank import at
from tests.subscriptions.shop import pay_in
from tests.web import SPACES, act, address, bought, words

UTC = "\u00a0UTC"


def box(answer) -> str:
    """Return the tone of the warning box, or an empty string if there is none."""
    html = answer.content.decode()
    return next((tone for tone in ("bad", "warn") if f'class="note act {tone}" aria-labelledby="ends-RUB"' in html), "")


def open_account(alice, prefix=""):
    """Open the account page in a new session: the clock may have moved past the end of the last one."""
    client = Client()
    client.force_login(alice)
    return client.get(f"{prefix}/account/")


@pytest.fixture(autouse=True)
def _plans(clock, on_sale) -> None:
    """Put the plans on sale at noon on 1 March."""


@pytest.mark.parametrize(
    ("hours", "tone", "heading"),
    [
        (0, "", "Your balance lasts until 5 March 2026. Then Pay as you go stops."),
        (27.5, "", "Your balance lasts until 5 March 2026."),
        (28, "warn", "Your balance runs out in 3 days"),
        (29, "warn", "Your balance runs out in 2 days 23 h"),
        (75.5, "warn", "Your balance runs out in 1 day"),
        (76, "bad", "Your balance runs out in 1 day"),
        (77, "bad", "Your balance runs out in 23 h"),
        (99.5, "bad", "Your balance runs out in less than an hour"),
    ],
)
def test_the_warning_grows_within_72_hours_24_hours_and_one_hour(clock, alice, hours, tone, heading):
    """150.00 at 1.50 an hour last 100 hours: to 5 March, 16:00."""
    bought(alice, "hourly", paid_in=150_00)
    clock.move_to(at(hours=hours))
    answer = open_account(alice)
    assert box(answer) == tone
    assert heading in words(answer)
    if tone:
        assert f"At this rate it runs out on 5 March 2026, 16:00{UTC}. Then Pay as you go stops." in words(answer)
        assert answer.content.decode().count('href="/topup/?currency=RUB"') == 2


def test_a_renewal_without_money_is_announced_with_its_grace_period(clock, alice):
    """1400.00 pay for March and April but not for May. Standard has three days of grace."""
    bought(alice, "standard", paid_in=1400_00)
    page = words(open_account(alice))
    assert "Your balance lasts until 1 May 2026." in page
    assert f"Then Standard cannot renew. You can still use it until 4 May 2026, 12:00{UTC}." in page
    clock.move_to(at(days=60))
    assert box(open_account(alice)) == "bad"


@pytest.mark.parametrize(("plan", "day"), [("basic", "1 April 2026"), ("premium", "15 March 2026")])
def test_a_plan_without_a_grace_period_stops(alice, plan, day):
    """Basic has no grace period, and neither has the end of Premium's trial in 14 days."""
    left = {"basic": "Nothing is due before", "premium": "Your balance lasts until"}[plan]
    bought(alice, plan, paid_in=299_00)
    page = words(open_account(alice))
    assert f"{left} {day}. Then {plan.title()} cannot renew and stops." in page


@pytest.fixture
def card(clock, alice) -> PaymentMethod:
    details = Method(gateway_id="sbm_1", brand="Visa", last4="4242")
    return methods.save(alice, "sandbox", details, now=timezone.now())


def test_a_renewal_that_a_saved_card_pays_for_is_no_warning(clock, alice, card):
    """600.00 pay for March and April. On 30 April the rest of May is charged to the card."""
    bought(alice, "basic", paid_in=600_00)
    consent = consents.agree_to_renewals(card, address=None, now=timezone.now())
    clock.move_to(at(days=60))
    answer = open_account(alice)
    assert box(answer) == ""
    assert "Your balance lasts until 1 May 2026. Then we charge Visa •••• 4242 to renew Basic." in words(answer)
    assert "cannot renew" not in words(answer)
    consents.withdraw(consent, now=timezone.now())
    assert box(open_account(alice)) == "bad"


def test_a_server_stops_whatever_pays_for_renewals(clock, alice, card):
    bought(alice, "hourly", paid_in=150_00)
    consents.agree_to_renewals(card, address=None, now=timezone.now())
    assert "Then Pay as you go stops." in words(open_account(alice))


def test_a_balance_that_is_topped_up_by_a_rule_does_not_run_out(clock, alice, card):
    bought(alice, "hourly", paid_in=150_00)
    top_ups.turn_on(card, "RUB", threshold=50_00, amount=100_00, cap=1000_00, address=None, now=timezone.now())
    page = words(open_account(alice))
    assert "Topped up automatically with Visa •••• 4242." in page
    assert "stops" not in page.split("Subscriptions")[0]


def test_all_subscriptions_that_end_at_that_moment_are_named(alice):
    bought(alice, "basic", paid_in=600_00)
    bought(alice, "standard", paid_in=400_00)
    assert words(open_account(alice)).count("cannot renew") == 2


def test_there_is_no_warning_if_nothing_will_end(clock, alice):
    pay_in(alice, 100_00, at=at())
    assert "lasts" not in words(open_account(alice))
    subscription = bought(alice, "basic", paid_in=299_00)
    act(subscription, at(), lambda book: OpenBook.set_auto_renew(book, subscription, value=False))
    clock.move_to(at(days=30))
    answer = open_account(alice)
    assert "Ends 1\xa0Apr" in words(answer)
    assert "lasts" not in words(answer)
    assert box(answer) == ""


def test_an_unpaid_subscription_has_only_one_warning(clock, alice):
    """In its grace period another box already says what to do and until when."""
    bought(alice, "standard", paid_in=690_00)
    clock.move_to(at(days=32))
    answer = open_account(alice)
    assert "Standard is unpaid" in words(answer)
    assert "lasts" not in words(answer)
    assert '<svg class="run"' not in answer.content.decode()
    assert box(answer) == ""


def test_an_open_payment_hides_the_top_up_link(clock, alice):
    bought(alice, "hourly", paid_in=15_00)
    before = open_account(alice).content.decode().count("/topup/?currency=RUB")
    checkout.start(alice, now=at(), amount=500_00, currency="RUB", gateway="sandbox")
    answer = open_account(alice)
    assert box(answer) == "bad"
    assert answer.content.decode().count("/topup/?currency=RUB") == before - 1


def test_each_currency_has_its_own_warning(alice):
    bought(alice, "hourly", paid_in=15_00)
    pay_in(alice, 5_00, "EUR", at=at())
    page = words(open_account(alice))
    assert "RUB: Your balance runs out in 10 h" in page
    assert "EUR: " not in page


def test_the_warning_is_in_russian_too(alice):
    bought(alice, "hourly", paid_in=15_00)
    assert "Баланса хватит ещё на 10 ч" in words(open_account(alice, "/ru"))


def test_another_customers_wallet_gives_no_warning(client, alice, mallory):
    bought(alice, "hourly", paid_in=15_00)
    client.force_login(mallory)
    answer = client.get("/account/")
    assert answer.status_code == 200
    assert "lasts" not in words(answer)


def test_who_is_charged_by_card_is_not_told_that_the_balance_is_not_enough(clock, alice, card):
    row = bought(alice, "basic", paid_in=300_00)
    browser, lacking = Client(), "is not enough for that"
    browser.force_login(alice)
    page = f"/account/subscriptions/{row.public_id}/"
    assert lacking in words(browser.get(page))
    assert lacking in words(browser.get("/account/"))

    consents.agree_to_renewals(card, address=None, now=timezone.now())
    for each in (page, "/account/"):
        assert "What your balance lacks is charged to Visa •••• 4242." in words(browser.get(each))
        assert lacking not in words(browser.get(each))


LATER = "After earlier charges, your balance will not be enough for that."


def sentences(answer) -> dict[str, str]:
    """Return by plan what the page's list says of each subscription."""
    html = answer.content.decode()
    found = re.findall(r'<h3 id="[^"]+">(.*?)</h3>.*?<p class="sm muted">(.*?)</p>', html, re.DOTALL)
    return {plan: SPACES.sub(" ", re.sub(r"<[^>]+>", "", text)).strip() for plan, text in found}


def test_renewals_that_only_together_exceed_the_balance_say_which_one_is_not_paid(clock, alice):
    """800.00 are left: Basic takes 299.00 of it on 1 April, and Standard's 690.00 are due a day later."""
    basic = bought(alice, "basic", paid_in=1789_00)
    standard = bought(alice, "standard", paid_in=0, when=at(days=1))
    clock.move_to(at(days=1))
    page = open_account(alice)
    said = sentences(page)
    assert said["Basic"] == "Renews on 1 April 2026 for ₽299.00 from your balance."
    assert said["Standard"] == f"Renews on 2 April 2026 for ₽690.00 from your balance. {LATER}"
    # As the balance says it.
    assert "Your balance lasts until 2 April 2026. Then Standard cannot renew." in words(page)
    browser = Client()
    browser.force_login(alice)
    assert LATER in words(browser.get(address(standard)))
    assert LATER not in words(browser.get(address(basic)))


def test_a_renewal_whose_money_a_server_uses_says_so(clock, alice):
    """401.00 are left after Basic. The server takes 36.00 a day of it: nothing is left on 12 March."""
    bought(alice, "basic", paid_in=700_00)
    bought(alice, "hourly", paid_in=0)
    said = sentences(open_account(alice))
    assert said["Basic"].endswith(LATER)
    assert said["Pay as you go"].startswith("₽1.50 an hour. Your balance lasts until 12 March 2026")


def test_a_server_whose_money_a_renewal_takes_says_when_it_stops(clock, alice):
    """1701.00 are left after Basic, 1116.00 are used by 1 April, 286.00 after the renewal last 190 h 40 min."""
    bought(alice, "basic", paid_in=2000_00)
    bought(alice, "hourly", paid_in=0)
    page = open_account(alice)
    assert f"Your balance lasts until 9 April 2026, 10:40{UTC}" in sentences(page)["Pay as you go"]
    assert "Your balance lasts until 9 April 2026. Then Pay as you go stops." in words(page)


def test_a_trial_whose_first_payment_finds_no_money_says_so(clock, alice):
    """Premium costs 1490.00 after its trial."""
    bought(alice, "premium", paid_in=299_00)
    assert "Your balance of ₽299.00 is not enough for that." in sentences(open_account(alice))["Premium"]
    pay_in(alice, 1191_00, at=at())
    assert "not enough" not in words(open_account(alice))


def test_a_rule_for_another_currency_pays_no_renewal(clock, alice, card):
    row = bought(alice, "basic", paid_in=300_00)
    top_ups.turn_on(card, "EUR", threshold=50_00, amount=100_00, cap=1000_00, address=None, now=timezone.now())
    browser = Client()
    browser.force_login(alice)
    for page in (f"/account/subscriptions/{row.public_id}/", "/account/"):
        assert "is not enough for that" in words(browser.get(page))

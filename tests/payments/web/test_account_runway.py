"""The account page says when a wallet will not reach, what ends then, and presses the closer it comes."""

import pytest
from django.test import Client

from payments import checkout
from subscriptions.books import OpenBook
from tests.subscriptions.bank import at
from tests.subscriptions.shop import pay_in
from tests.web import act, bought, words

UTC = "\u00a0UTC"


def box(answer) -> str:
    """The tone of the box, and nothing where there is none."""
    html = answer.content.decode()
    return next((tone for tone in ("bad", "warn") if f'class="alert {tone}" aria-labelledby="ends-RUB"' in html), "")


def look(alice, prefix=""):
    """Sign in, as the clock may have moved by more than a session lasts, and open the page."""
    client = Client()
    client.force_login(alice)
    return client.get(f"{prefix}/account/")


@pytest.fixture(autouse=True)
def _plans(clock, on_sale) -> None:
    """On sale from noon of 1 March."""


@pytest.mark.parametrize(
    ("hours", "tone", "heading"),
    [
        (0, "", "Your balance lasts until 5 March 2026. Pay as you go stops then."),
        (28, "", "Your balance lasts until 5 March 2026."),
        (29, "warn", "Your balance lasts only 2 days 23 h more"),
        (76, "warn", "Your balance lasts only 1 day more"),
        (77, "bad", "Your balance lasts only 23 h more"),
        (99.5, "bad", "Your balance lasts less than an hour"),
    ],
)
def test_the_box_presses_within_72_and_24_hours_and_one(clock, alice, hours, tone, heading):
    """150.00 at 1.50 an hour are 100 hours and, to the next kopeck, 24 seconds: to 5 March, 16:00:23."""
    bought(alice, "hourly", paid_in=150_00)
    clock.move_to(at(hours=hours))
    answer = look(alice)
    assert box(answer) == tone
    assert heading in words(answer)
    if tone:
        assert f"it is not enough any more on 5 March 2026, 16:00{UTC}. Pay as you go stops then." in words(answer)
        assert answer.content.decode().count('href="/topup/?currency=RUB"') == 2


def test_a_renewal_that_will_find_no_money_is_told_with_its_grace(clock, alice):
    """1400.00 pay for March and April, not for May; Standard has three days of grace."""
    bought(alice, "standard", paid_in=1400_00)
    page = words(look(alice))
    assert "Your balance lasts until 1 May 2026." in page
    assert f"Standard cannot be paid for then. It can still be used until 4 May 2026, 12:00{UTC}." in page
    clock.move_to(at(days=60))
    assert box(look(alice)) == "bad"


@pytest.mark.parametrize(("plan", "day"), [("basic", "1 April 2026"), ("premium", "15 March 2026")])
def test_what_has_no_grace_stops(alice, plan, day):
    """Basic has none; nor has the end of Premium's trial, 14 days from now."""
    bought(alice, plan, paid_in=299_00)
    page = words(look(alice))
    assert f"Your balance lasts until {day}. {plan.title()} cannot be paid for then, and stops." in page


def test_everything_that_ends_at_that_instant_is_named(alice):
    bought(alice, "basic", paid_in=600_00)
    bought(alice, "standard", paid_in=400_00)
    assert words(look(alice)).count("cannot be paid for then") == 2


def test_it_says_nothing_where_nothing_will_end(clock, alice):
    pay_in(alice, 100_00, at=at())
    assert "lasts" not in words(look(alice))
    mine = bought(alice, "basic", paid_in=299_00)
    act(mine, at(), lambda book: OpenBook.set_auto_renew(book, mine, value=False))
    clock.move_to(at(days=30))
    answer = look(alice)
    assert "✓ Active" in words(answer)
    assert "lasts" not in words(answer)
    assert box(answer) == ""


def test_what_needs_money_already_is_told_once(clock, alice):
    """In its grace: the box above says what to do, and until when."""
    bought(alice, "standard", paid_in=690_00)
    clock.move_to(at(days=32))
    answer = look(alice)
    assert "Standard needs money" in words(answer)
    assert "lasts" not in words(answer)
    assert box(answer) == ""


def test_nobody_is_asked_to_pay_twice(clock, alice):
    bought(alice, "hourly", paid_in=15_00)
    before = look(alice).content.decode().count("/topup/?currency=RUB")
    checkout.start(alice, now=at(), amount=500_00, currency="RUB", gateway="sandbox")
    answer = look(alice)
    assert box(answer) == "bad"
    assert answer.content.decode().count("/topup/?currency=RUB") == before - 1


def test_each_currency_is_told_of_by_itself(alice):
    bought(alice, "hourly", paid_in=15_00)
    pay_in(alice, 5_00, "EUR", at=at())
    page = words(look(alice))
    assert "RUB: Your balance lasts only 10 h more" in page
    assert "EUR: " not in page


def test_it_is_told_in_russian_too(alice):
    bought(alice, "hourly", paid_in=15_00)
    assert "Баланса хватит ещё только на 10 ч" in words(look(alice, "/ru"))


def test_anothers_wallet_is_not_told_of(client, alice, mallory):
    bought(alice, "hourly", paid_in=15_00)
    client.force_login(mallory)
    answer = client.get("/account/")
    assert answer.status_code == 200
    assert "lasts" not in words(answer)

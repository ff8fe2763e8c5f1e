from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.utils import translation

from ledger import display
from ledger.money import EXPONENTS, LARGEST, Money

NBSP, MINUS = "\u00a0", "\u2212"


@pytest.mark.parametrize(
    ("amount", "currency", "english", "russian"),
    [
        (34_80, "EUR", "€34.80", f"34,80{NBSP}€"),
        (2_900_00, "RUB", "₽2,900.00", f"2{NBSP}900,00{NBSP}₽"),
        (-34_80, "EUR", f"{MINUS}€34.80", f"{MINUS}34,80{NBSP}€"),
        (500, "JPY", "¥500", f"500{NBSP}¥"),
        (1_234, "KWD", f"KWD{NBSP}1.234", f"1,234{NBSP}KWD"),
        (15_000_00, "KZT", "₸15,000.00", f"15{NBSP}000,00{NBSP}₸"),
        (0, "EUR", "€0.00", f"0,00{NBSP}€"),
    ],
)
def test_an_amount_is_formatted_for_the_language(amount, currency, english, russian):
    money = Money(amount, currency)
    assert (display.money(money, language="en"), display.money(money, language="ru")) == (english, russian)


def test_a_signed_amount_above_zero_has_a_plus():
    assert display.money(Money(1, "EUR"), signed=True, language="en") == "+€0.01"
    assert display.money(Money(0, "EUR"), signed=True, language="en") == "€0.00"


@pytest.mark.parametrize("currency", EXPONENTS)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_no_digit_is_lost_in_any_currency(currency, language):
    """The text contains every digit of a very large amount."""
    digits = "".join(sign for sign in display.money(Money(LARGEST - 1, currency), language=language) if sign.isdigit())
    assert digits == str(LARGEST - 1)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_an_amount_never_breaks_across_lines(language):
    assert " " not in display.money(Money(-1_234_567_89, "RUB"), language=language)


def test_a_date_has_the_month_as_a_word_and_a_time_has_its_zone():
    at = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)
    assert display.day(at, language="en") == "21 November 2026"
    assert display.day(at, language="ru") == f"21 ноября 2026{NBSP}г."
    assert display.moment(at, language="en") == f"21 November 2026, 14:02{NBSP}UTC"
    assert display.moment(at, language="ru") == f"21 ноября 2026{NBSP}г., 14:02{NBSP}UTC"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "Your balance lasts until 21 November 2026."), ("ru", f"Баланса хватит до 21 ноября 2026{NBSP}г.")],
)
def test_a_sentence_that_ends_in_a_date_has_one_full_stop(language, sentence):
    at = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)
    with translation.override(language):
        assert translation.gettext("Your balance lasts until %(day)s.") % {"day": display.day(at)} == sentence


def test_a_date_on_a_page_has_a_machine_readable_form():
    at = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)
    html = Template("{% load money %}{{ at|day }}").render(Context({"at": at}))
    assert html == '<time datetime="2026-11-21T14:02:00+00:00">21 November 2026</time>'

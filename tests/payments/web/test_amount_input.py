import pytest

from ledger.money import Money, NotMoney
from payments.web import amount_input


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("1000", 1000_00),
        ("1000.50", 1000_50),
        ("1000,50", 1000_50),
        ("1 000,50", 1000_50),
        ("1\u00a0000,50", 1000_50),
        ("1\u202f000,50", 1000_50),
        ("1,000.50", 1000_50),
        ("1.000,50", 1000_50),
        ("1'000.50", 1000_50),
        ("1.000.000", 1_000_000_00),
        ("1,000,000", 1_000_000_00),
        ("1.5", 1_50),
        ("0,05", 5),
        (" 7 ", 7_00),
        ("₽25", 25_00),
        ("25 ₽", 25_00),
        ("25\u00a0RUB", 25_00),
        ("rub 25.50", 25_50),
        ("25 руб.", 25_00),
        ("1 000,50 р.", 1000_50),
    ],
)
def test_amounts_are_parsed_with_any_grouping(text, minor):
    assert amount_input.parse(text, "RUB") == Money(minor, "RUB")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-5",
        "+5",
        "five",
        "1.2.3",
        "1,2,3",
        "1,00,00",
        "12.345",
        "1.000,5,5",
        "10 x",
        "x10",
        "1e3",
        "٣",
        "1..5",
        ".5",
        "5.",
    ],
)
def test_an_invalid_amount_is_refused(text):
    with pytest.raises(NotMoney):
        amount_input.parse(text, "RUB")


@pytest.mark.parametrize(("text", "minor"), [("1.234", 1_234), ("10.000", 10_000), ("1,234.500", 1_234_500)])
def test_an_amount_of_three_decimals_is_read_as_our_pages_write_it(text, minor):
    assert amount_input.parse(text, "KWD") == Money(minor, "KWD")


@pytest.mark.parametrize(
    ("text", "currency", "said"),
    [
        ("1,000", "EUR", "Enter 1000 for €1,000.00, or 1.00 for €1.00."),
        ("1.000", "EUR", "Enter 1000 for €1,000.00, or 1.00 for €1.00."),
        ("€1.500", "EUR", "Enter 1500 for €1,500.00, or 1.50 for €1.50."),
        ("10.999", "EUR", "Enter 10999 for €10,999.00."),
        ("1,234", "KWD", "Enter 1234 for KWD\u00a01,234.000, or 1.234 for KWD\u00a01.234."),
    ],
)
def test_an_ambiguous_amount_is_asked_back(text, currency, said):
    """1.000 is a thousand in German; with three decimals 1,234 is either a thousand and more or one and more."""
    with pytest.raises(amount_input.Unclear) as asked:
        amount_input.parse(text, currency)
    assert str(asked.value) == said


def test_what_cannot_be_read_in_two_ways_is_not_asked_back():
    assert amount_input.parse("1234.567", "KWD") == Money(1_234_567, "KWD")
    assert amount_input.parse("5,5", "KWD") == Money(5_500, "KWD")
    assert amount_input.parse("¥2,500", "JPY") == Money(2500, "JPY")


@pytest.mark.parametrize(("text", "currency"), [("$25", "EUR"), ("25 €", "RUB"), ("25 USD", "EUR"), ("25 руб", "EUR")])
def test_an_amount_in_another_currency_is_not_taken_for_one_in_this(text, currency):
    with pytest.raises(amount_input.Unclear, match=f"The amount is in {currency} here. Enter only the number."):
        amount_input.parse(text, currency)

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
        ("1,000", 1000_00),
        ("1.000.000", 1_000_000_00),
        ("1,000,000", 1_000_000_00),
        ("1.5", 1_50),
        ("0,05", 5),
        (" 7 ", 7_00),
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
        "10 €",
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


def test_an_ambiguous_amount_is_refused():
    """1.000 is a thousand in German; with three decimals 1,234 is either a thousand and more or one and more."""
    for text, currency in (("1.000", "EUR"), ("10.999", "EUR"), ("1,234", "KWD")):
        with pytest.raises(NotMoney):
            amount_input.parse(text, currency)
    assert amount_input.parse("1234.567", "KWD") == Money(1_234_567, "KWD")
    assert amount_input.parse("5,5", "KWD") == Money(5_500, "KWD")

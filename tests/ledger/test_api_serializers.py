from decimal import Decimal
from typing import Any

import pytest
from rest_framework import serializers

from core.api.parsers import loads
from core.api.serializers import StrictSerializer
from ledger.api.serializers import MoneyField
from ledger.money import Money


class Body(StrictSerializer):
    amount = MoneyField()
    currency = serializers.ChoiceField(choices=["RUB", "JPY", "KWD"], default="RUB")


def read(body: bytes) -> Any:
    serializer = Body(data=loads(body))
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data["amount"]


@pytest.mark.parametrize(
    ("body", "amount"),
    [
        (b'{"amount": "1342.00"}', Money(134200, "RUB")),
        (b'{"amount": 1342.10}', Money(134210, "RUB")),
        (b'{"amount": 0.07}', Money(7, "RUB")),
        (b'{"amount": 5}', Money(500, "RUB")),
        (b'{"amount": "5", "currency": "JPY"}', Money(5, "JPY")),
        (b'{"amount": "1.234", "currency": "KWD"}', Money(1234, "KWD")),
        (b'{"amount": 9007199254.99}', Money(900719925499, "RUB")),
    ],
)
def test_an_amount_is_parsed_exactly(body, amount):
    assert read(body) == amount


@pytest.mark.parametrize(
    "amount",
    [b"true", b"null", b"[]", b"{}", b"1e3", b'"1e3"', b'"NaN"', b'"Infinity"',
     b'"\xd9\xa1\xd9\xa2"', b'"\xef\xbc\x91"',
     b'"1,5"', b'"1 000"', b'" 1"', b'"1\\n"', b'"+1"', b'"0x1"', b'""', b'"."', b'".5"', b'"5."', b"1.001", b'"1.001"',
     b"0", b"-5", b'"-0.01"', b'"10000000000.01"', b"99999999999999999999999999"],
)  # fmt: skip
def test_an_invalid_amount_is_refused_with_the_allowed_range(amount):
    with pytest.raises(serializers.ValidationError) as caught:
        read(b'{"amount": ' + amount + b"}")
    errors: Any = caught.value.detail
    assert list(errors) == ["amount"]
    if amount != b"null":
        assert "0.01 to 10000000000.00 with at most 2 decimal places" in str(errors["amount"][0])


def test_a_currency_without_decimals_allows_none():
    with pytest.raises(
        serializers.ValidationError, match="JPY as a decimal string or number from 1 to 1000000000000 with at most 0"
    ):
        read(b'{"amount": "5.0", "currency": "JPY"}')


def test_a_float_is_refused_because_it_may_have_lost_digits():
    assert not Body(data={"amount": 1.1}).is_valid()
    assert Body(data={"amount": Decimal("1.1")}).is_valid()


def test_an_unknown_currency_is_an_error_of_the_currency_field():
    serializer = Body(data={"amount": "5.00", "currency": "XXX"})
    assert not serializer.is_valid()
    assert list(serializer.errors) == ["currency"]


def test_an_amount_is_written_as_a_plain_string():
    assert Body({"amount": Money(-134200, "RUB"), "currency": "RUB"}).data["amount"] == "-1342.00"
    assert Body({"amount": 1234, "currency": "KWD"}).data["amount"] == "1.234"


def test_the_currency_may_be_fixed():
    field = MoneyField(currency="JPY", least=0)
    assert field.run_validation("0") == Money(0, "JPY")
    assert field.to_representation(5) == "5"


@pytest.mark.parametrize("currency", ["XXX", "rub", 5, None])
def test_an_amount_error_never_names_a_currency_that_was_not_sent(currency):
    """With an unknown currency, the error of the amount does not mention any currency, such as AED."""
    for amount in ("1342.00", "ten"):
        serializer = Body(data={"amount": amount, "currency": currency})
        assert not serializer.is_valid()
        assert "currency" in serializer.errors
        assert "AED" not in str(serializer.errors)
        assert ("amount" in serializer.errors) == (amount == "ten")

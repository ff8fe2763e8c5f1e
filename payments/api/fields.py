"""Amounts as they may be sent: "1342.00", 1342.00 or {"value": "1342.00", "currency": "RUB"}. Never through a float."""

from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from ledger.money import Money, NotMoney


class SentAmount(NamedTuple):
    """Text that claims to be an amount, and the currency it came with, if any."""

    text: str
    currency: str | None = None


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "examples": ["1342.00"]},
            {"type": "number", "examples": [1342.00]},
            {
                "type": "object",
                "properties": {"value": {"type": ["string", "number"]}, "currency": {"type": "string"}},
                "required": ["value"],
                "additionalProperties": False,
            },
        ]
    }
)
class AmountField(serializers.Field):
    """Takes what looks like an amount. Whether it is one depends on the currency: see `minor_units`."""

    default_error_messages = {"invalid": _('Send an amount such as "1342.00".')}

    def to_internal_value(self, data: Any) -> SentAmount:
        """Return the text of a string or a number, as it was sent."""
        if isinstance(data, dict):
            if not {"value"} <= data.keys() <= {"value", "currency"} or isinstance(data["value"], dict):
                self.fail("invalid")
            currency = data.get("currency")
            if currency is not None and not isinstance(currency, str):
                self.fail("invalid")
            return SentAmount(self.to_internal_value(data["value"]).text, currency)
        if isinstance(data, bool) or not isinstance(data, str | int | Decimal):
            self.fail("invalid")
        return SentAmount(str(data))

    def to_representation(self, value: Any) -> Any:
        """Write it back as it was; amounts in answers are written by MoneySerializer."""
        return value


def minor_units(sent: SentAmount, currency: str, *, param: str) -> int:
    """Return minor units of `currency`; raise ValidationError naming `param` when the text is no amount of it."""
    try:
        return Money.parse(sent.text, currency).amount
    except NotMoney as error:
        raise serializers.ValidationError({param: [ErrorDetail(str(error)[:300], code="invalid")]}) from error

"""Serializer fields for amounts: exact plain decimals in a known currency."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import get_attribute

from ledger.money import EXPONENTS, LARGEST, Money

# The currency with the most decimals: stands in for an unknown one, so that only the amount's format is checked.
WIDEST_CURRENCY = max(EXPONENTS, key=lambda currency: EXPONENTS[currency])


# What a response may hold; a request is described by MoneyFieldSchema.
PLAIN = r"^-?[0-9]{1,13}(\.[0-9]{1,3})?$"
SENT = r"^[0-9]{1,13}(\.[0-9]{1,3})?$"


class MoneyField(serializers.Field):
    """Reads a decimal string or a JSON number into a Money, and writes a Money (or minor units) as a plain string.

    The currency is `currency` if given. Otherwise it is the value of the field `currency_field` in the same request,
    or that attribute of the object being written. `least` is the smallest amount allowed, in minor units.
    """

    default_error_messages = {
        "invalid": _(
            "Send the amount in {currency} as a decimal string or number from {least} to {most} with at most "
            "{decimals} decimal places, for example {example}."
        ),
        # Used when the currency is unknown too: the currency field reports that itself.
        "shapeless": _("Send the amount as a decimal string or number, for example 1342.00."),
    }

    def __init__(
        self, *, currency: str | None = None, currency_field: str = "currency", least: int = 1, **kwargs: Any
    ) -> None:
        self.currency = currency
        self.currency_field = currency_field
        self.least = least
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Money:
        """Return the amount as Money; raise ValidationError, which says what is allowed."""
        currency = self._currency_sent()
        # No float: it may have lost digits already (SafeJSONParser makes Decimals). No bool, although True is an int.
        text = str(data) if isinstance(data, str | int | Decimal) and not isinstance(data, bool) else ""
        try:
            money = Money.parse(text, currency or WIDEST_CURRENCY)
        except ValueError:
            self._refuse(currency)
        if money.amount < self.least:
            self._refuse(currency)
        return money

    def get_attribute(self, instance: Any) -> Any:
        """Return the amount as Money, with the object's currency."""
        value = super().get_attribute(instance)
        if isinstance(value, int):
            return Money(value, self.currency or str(get_attribute(instance, [self.currency_field])))
        return value

    def to_representation(self, value: Money | int) -> str:
        """Return the plain decimal."""
        return (value if isinstance(value, Money) else Money(value, self.currency or "")).plain()

    def _currency_sent(self) -> str | None:
        """Return the request's currency, or None if it is missing or unknown: the other field reports that."""
        if self.currency:
            return self.currency
        data = getattr(self.parent, "initial_data", None)
        field = getattr(self.parent, "fields", {}).get(self.currency_field)
        default = getattr(field, "default", None)
        currency = data.get(self.currency_field, default) if isinstance(data, dict) else default
        return currency if isinstance(currency, str) and currency in EXPONENTS else None

    def _refuse(self, currency: str | None) -> None:
        if currency is None:
            self.fail("shapeless")
        self.fail(
            "invalid",
            currency=currency,
            least=Money(self.least, currency).plain(),
            most=Money(LARGEST, currency).plain(),
            decimals=EXPONENTS[currency],
            example=Money(1342 * 10 ** EXPONENTS[currency], currency).plain(),
        )


@extend_schema_field({"type": "string", "pattern": PLAIN, "examples": ["1342.00"]})
class PlainField(serializers.CharField):
    """An amount that is a plain decimal already."""


class MoneySerializer(serializers.Serializer):
    """Writes a Money as `{"value": "1342.00", "currency": "RUB"}`."""

    value = PlainField(source="plain", help_text="Decimal string with the currency's decimal places.")
    currency = serializers.CharField(help_text="ISO 4217.")


class MoneyFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes MoneyField: a request may send a string or a number, an answer always has a string."""

    target_class = "ledger.api.serializers.MoneyField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """Return the schema of the field."""
        if direction == "response":
            return {"type": "string", "pattern": PLAIN, "examples": ["1342.00"]}
        text = {"type": "string", "pattern": SENT, "examples": ["1342.00"]}
        return {"oneOf": [text, {"type": "number", "minimum": 0.001, "maximum": 9_999_999_999_999}]}

"""Amounts in requests and answers: a plain decimal, exact, in a currency that is known."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import get_attribute

from ledger.money import EXPONENTS, LARGEST, Money

# An amount whose currency is not known is only looked at for its shape.
MOST_DECIMALS = max(EXPONENTS, key=lambda currency: EXPONENTS[currency])


@extend_schema_field({"type": "string", "pattern": r"^[0-9]{1,13}(\.[0-9]{1,3})?$", "example": "1342.00"})
class MoneyField(serializers.Field):
    """Reads a decimal string or a JSON number into a Money, and writes a Money (or minor units) as a plain string.

    The currency is `currency` where it is fixed, or else what stands in the field named `currency_field` beside it,
    or in the same attribute of the object that is written. Zero and less are refused unless `least` (minor units)
    says otherwise.
    """

    default_error_messages = {
        "invalid": _(
            "Write the amount in {currency} as a plain decimal from {least} to {most} with at most {decimals} decimals "
            "after a point: a string or a number such as {example}."
        ),
        # The currency is wrong as well, and has an error of its own.
        "shapeless": _("Write the amount as a plain decimal: a string or a number such as 1342.00."),
    }

    def __init__(
        self, *, currency: str | None = None, currency_field: str = "currency", least: int = 1, **kwargs: Any
    ) -> None:
        self.currency = currency
        self.currency_field = currency_field
        self.least = least
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Money:
        """Return the Money that was sent. Raises ValidationError that says what is allowed."""
        currency = self._currency_sent()
        # Not float: only SafeJSONParser, which makes Decimals, keeps 1342.10 what it was. And True is an int.
        text = str(data) if isinstance(data, str | int | Decimal) and not isinstance(data, bool) else ""
        try:
            money = Money.parse(text, currency or MOST_DECIMALS)
        except ValueError:
            self._refuse(currency)
        if money.amount < self.least:
            self._refuse(currency)
        return money

    def get_attribute(self, instance: Any) -> Any:
        """Return the amount with the currency that stands beside it."""
        value = super().get_attribute(instance)
        if isinstance(value, int):
            return Money(value, self.currency or str(get_attribute(instance, [self.currency_field])))
        return value

    def to_representation(self, value: Money | int) -> str:
        """Return the plain decimal."""
        return (value if isinstance(value, Money) else Money(value, self.currency or "")).plain()

    def _currency_sent(self) -> str | None:
        """Return the currency to read in. None for one that is missing or unknown: that is the other field's error."""
        if self.currency:
            return self.currency
        sent = getattr(self.parent, "initial_data", None)
        beside = getattr(self.parent, "fields", {}).get(self.currency_field)
        default = getattr(beside, "default", None)
        named = sent.get(self.currency_field, default) if isinstance(sent, dict) else default
        return named if isinstance(named, str) and named in EXPONENTS else None

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


class MoneySerializer(serializers.Serializer):
    """`{"value": "1342.00", "currency": "RUB"}`, made from a Money."""

    value = serializers.CharField(source="plain", help_text="Decimal string with the currency's own decimals.")
    currency = serializers.CharField(help_text="ISO 4217.")

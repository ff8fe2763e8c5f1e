"""What may be sent about payments. Unknown fields are errors; prices are never taken from here, only compared."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from accounts.api.fields import FlagField, TextField
from accounts.api.strict import StrictSerializer
from ledger.api.fields import MoneyField
from payments import quotes
from payments.api.fields import AmountField
from payments.models import Payment
from subscriptions.engine.limits import MOST_PERIODS, MOST_QUANTITY


class PaymentIdField(TextField):
    """An id of the client's own choice for a new payment."""

    def __init__(self, **kwargs: Any) -> None:
        words = _("An id of your own for the new payment, 8 to 40 characters. One that exists is refused.")
        super().__init__(max_length=40, required=False, help_text=words, **kwargs)


class CheckoutSerializer(StrictSerializer):
    """A plan to subscribe to, or a subscription that waits for money."""

    plan = TextField(max_length=60, required=False, help_text="Code of a plan, to open a subscription.")
    subscription = TextField(max_length=40, required=False, help_text="Id of one of yours that waits for money.")
    currency = TextField(max_length=3, required=False)
    periods = serializers.IntegerField(min_value=1, max_value=MOST_PERIODS, required=False)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_QUANTITY, required=False)
    auto_renew = FlagField(required=False)
    amount = AmountField(required=False, help_text="What you expect to pay. Another amount than ours is refused.")
    gateway = TextField(max_length=20, required=False, help_text="One of the site's gateways; the first one if absent.")
    payment_id = PaymentIdField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of plan and subscription; a subscription has its terms already."""
        if ("plan" in attrs) == ("subscription" in attrs):
            raise serializers.ValidationError({"plan": _("Send `plan` or `subscription`, one of the two.")})
        settled = [name for name in ("periods", "quantity", "auto_renew") if name in attrs and "subscription" in attrs]
        if settled:
            raise serializers.ValidationError(
                dict.fromkeys(settled, _("The subscription has it already; leave it out."))
            )
        amount = attrs.get("amount")
        if amount and amount.currency and attrs.setdefault("currency", amount.currency) != amount.currency:
            raise serializers.ValidationError({"currency": _("`currency` and the amount's own currency differ.")})
        return attrs


class TopUpSerializer(StrictSerializer):
    """Money for the wallet."""

    value = MoneyField(help_text="Decimal string or number with no more decimals than the currency has.")
    currency = TextField(max_length=3, help_text="ISO 4217.")
    description = TextField(max_length=200, required=False, allow_blank=True)
    gateway = TextField(max_length=20, required=False, help_text="One of the site's gateways; the first one if absent.")
    payment_id = PaymentIdField()

    def validate_currency(self, currency: str) -> str:
        """Raise CurrencyNotTaken, which says what is: whatever the amount is, it cannot be read without."""
        quotes.check_taken(currency)
        return currency

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Turn `value` into minor units within the limits of its currency."""
        currency, attrs["amount"] = attrs["currency"], attrs.pop("value").amount
        try:
            quotes.for_top_up(attrs["amount"], currency)
        except quotes.AmountOutOfRange as error:
            raise serializers.ValidationError({"value": [ErrorDetail(error.detail, code=error.code)]}) from error
        return attrs


class PaymentIdSerializer(StrictSerializer):
    """Which payment."""

    payment_id = TextField(max_length=40)


class PaymentFilters(filters.FilterSet):
    """Filters of the list. `created_after` is included, `created_before` is not."""

    status = filters.ChoiceFilter(choices=Payment.Status.choices)
    plan = filters.CharFilter(field_name="plan__code", max_length=60)
    subscription = filters.CharFilter(field_name="subscription__public_id", max_length=40)
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

"""What the payments API accepts and returns.

An amount may be sent as "1342.00", 1342.00 or {"value": "1342.00", "currency": "RUB"}. It never becomes a float.
"""

from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from core.api.fields import FlagField, TextField, WholeField
from core.api.schema_details import CURRENCY, either, examples, not_both
from core.api.serializers import StrictSerializer
from ledger.api.serializers import SENT, MoneyField, MoneySerializer
from ledger.money import Money, NotMoney
from payments import amounts, transitions
from payments.api.changes import ChangeToSerializer, PaidChangeSerializer
from payments.api.references import GivenReferencesSerializer, ReferencesSerializer
from payments.failures import Failure, failure_of
from payments.models import Dispute, Payment, Refund
from payments.payment_ids import CLIENT_ID
from subscriptions.catalogue import MOST_PERIODS, MOST_QUANTITY


class SentAmount(NamedTuple):
    """An amount as sent, not parsed yet, and the currency sent with it, if any."""

    text: str
    currency: str | None = None


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "pattern": SENT, "examples": ["1342.00"]},
            {"type": "number", "minimum": 0.001, "examples": [1342.00]},
            {
                "type": "object",
                "title": "AmountWithCurrency",
                "properties": {
                    "value": {"oneOf": [{"type": "string", "pattern": SENT}, {"type": "number", "minimum": 0.001}]},
                    "currency": {"type": "string", "pattern": CURRENCY},
                },
                "required": ["value"],
                "additionalProperties": False,
            },
        ]
    },
    component_name="AmountRequest",
)
class AmountField(serializers.Field):
    """Accepts anything that looks like an amount. `minor_units` parses it once the currency is known."""

    default_error_messages = {"invalid": _('Send an amount, for example "1342.00".')}

    def to_internal_value(self, data: Any) -> SentAmount:
        """Return the string or number as it was sent."""
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
        """Return the value unchanged; responses use MoneySerializer for amounts."""
        return value


def minor_units(sent: SentAmount, currency: str, *, param: str) -> int:
    """Return the amount in minor units of `currency`; raise a ValidationError of `param` if it is not valid in it."""
    try:
        return Money.parse(sent.text, currency).amount
    except NotMoney as error:
        raise serializers.ValidationError({param: [ErrorDetail(str(error)[:300], code="invalid")]}) from error


@extend_schema_field({"type": "string", "pattern": f"^{CLIENT_ID.pattern}$"})
class PaymentIdField(TextField):
    """An id that the client chooses for a new payment."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = _("Your own id for the new payment, 8 to 40 characters. One that you have used before is refused.")
        super().__init__(max_length=40, required=False, help_text=help_text, **kwargs)


class GatewayField(TextField):
    """The gateway to pay through."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = "One of the site's gateways; by default the first that takes the currency and the amount."
        super().__init__(max_length=20, required=False, help_text=help_text, **kwargs)


class SaveMethodField(FlagField):
    """The customer's consent to keep the payment method."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = "Whether the customer agrees that the gateway keeps the card or account for later payments."
        super().__init__(required=False, help_text=help_text, **kwargs)


class RenewalWordsField(TextField):
    """The words of the consent to renewals, exactly as the customer was shown them."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = (
            "The customer agrees that the gateway saves the method of this payment and that renewals are charged to "
            "it: the words that you have shown, exactly. Send an empty string to get the `words` to show in the error. "
            "The consent is in force once the payment is paid."
        )
        super().__init__(max_length=2000, required=False, allow_blank=True, help_text=help_text, **kwargs)


# What check_saving holds.
SAVED_IF_AGREED = {"if": {"required": ["renewal_words"]}, "then": {"properties": {"save_method": {"const": True}}}}


def check_saving(sent: dict[str, Any]) -> None:
    """Raise a ValidationError if the customer agrees to renewals with a method that is not to be saved."""
    if "renewal_words" in sent and sent.get("save_method") is False:
        text = _("Renewals are charged to the method that this payment saves. Omit `save_method`, or send true.")
        raise serializers.ValidationError({"save_method": text})


@examples(
    plan={"plan": "basic", "currency": "RUB", "client_reference_id": "cart 42", "metadata": {"cart": "42"}},
    subscription={"subscription": "sub_01m7y6kma9epbt0vbh6e2x8h1g"},
    change={"subscription": "sub_01m7y6kma9epbt0vbh6e2x8h1g", "change": {"plan": "standard"}},
)
class CheckoutSerializer(ReferencesSerializer):
    """A checkout of a plan, of a subscription that waits for money, or of a change that the balance cannot pay."""

    schema_rules = (
        either("plan", "subscription"),
        not_both("periods", "duration"),
        not_both("subscription", "periods", "duration", "quantity", "auto_renew"),
        not_both("change", "plan"),
        SAVED_IF_AGREED,
    )

    plan = TextField(max_length=60, required=False, help_text="Code of the plan to subscribe to.")
    subscription = TextField(max_length=40, required=False, help_text="Id of your subscription to pay for.")
    change = ChangeToSerializer(required=False, help_text="Change the subscription, now, with the money.")
    currency = TextField(max_length=3, required=False)
    periods = WholeField(min_value=1, max_value=MOST_PERIODS, required=False)
    duration = WholeField(min_value=1, max_value=MOST_PERIODS, required=False, help_text="Alias of `periods`.")
    quantity = WholeField(min_value=1, max_value=MOST_QUANTITY, required=False)
    auto_renew = FlagField(required=False)
    amount = AmountField(required=False, help_text="What you expect to pay. Any other amount is refused.")
    gateway = GatewayField()
    save_method = SaveMethodField()
    renewal_words = RenewalWordsField()
    payment_id = PaymentIdField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require either a plan or a subscription, and no terms with a subscription, which has its own."""
        if "periods" in attrs and "duration" in attrs:
            raise serializers.ValidationError({"duration": _("Send `periods` or `duration`, not both.")})
        if "duration" in attrs:
            attrs["periods"] = attrs.pop("duration")
        if ("plan" in attrs) == ("subscription" in attrs):
            raise serializers.ValidationError({"plan": _("Send either `plan` or `subscription`.")})
        if "change" in attrs and "subscription" not in attrs:
            raise serializers.ValidationError({"change": _("Send the `subscription` that is to be changed.")})
        settled = [name for name in ("periods", "quantity", "auto_renew") if name in attrs and "subscription" in attrs]
        if settled:
            raise serializers.ValidationError(dict.fromkeys(settled, _("The subscription already has this. Omit it.")))
        amount = attrs.get("amount")
        if amount and amount.currency and attrs.setdefault("currency", amount.currency) != amount.currency:
            raise serializers.ValidationError({"currency": _("`currency` does not match the amount's currency.")})
        check_saving(attrs)
        return attrs


@examples(
    text={"value": "1342.00", "currency": "RUB"}, number={"value": 1342, "currency": "RUB", "description": "For June"}
)
class TopUpSerializer(ReferencesSerializer):
    """A top-up of the wallet."""

    schema_rules = (SAVED_IF_AGREED,)

    value = MoneyField(help_text="Decimal string or number with at most the currency's decimal places.")
    currency = TextField(max_length=3, help_text="ISO 4217.")
    description = TextField(max_length=200, required=False, allow_blank=True)
    gateway = GatewayField()
    save_method = SaveMethodField()
    renewal_words = RenewalWordsField()
    payment_id = PaymentIdField()

    def validate_currency(self, currency: str) -> str:
        """Raise CurrencyNotTaken here, before the amount is checked: it cannot be read without a valid currency."""
        amounts.check_taken(currency)
        return currency

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Replace `value` with `amount` in minor units, checked against the limits of its currency."""
        check_saving(attrs)
        currency, attrs["amount"] = attrs["currency"], attrs.pop("value").amount
        try:
            amounts.for_top_up(attrs["amount"], currency, attrs.get("gateway"))
        except amounts.AmountOutOfRange as error:
            raise serializers.ValidationError({"value": [ErrorDetail(error.detail, code=error.code)]}) from error
        return attrs


@examples(payment={"payment_id": "pay_01m7y6kma9epbt0vbh6e2x8h1g"})
class PaymentIdSerializer(StrictSerializer):
    """The id of a payment."""

    payment_id = TextField(max_length=40)


class FailureSerializer(serializers.Serializer):
    """Why a payment failed, and what the customer can do."""

    code = serializers.CharField()
    detail = serializers.CharField()


class RefundSerializer(serializers.Serializer):
    """Money of a payment that goes back."""

    id = serializers.CharField(source="public_id")
    payment = serializers.CharField(source="payment.reference")
    status = serializers.ChoiceField(choices=Refund.Status.choices)
    amount = MoneySerializer(source="money")
    destination = serializers.ChoiceField(choices=Refund.Destination.choices)
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(help_text="When `status` last changed.")


class DisputeSerializer(serializers.Serializer):
    """A payment, or a part of it, that the customer's bank takes back."""

    id = serializers.CharField(source="public_id")
    status = serializers.ChoiceField(choices=Dispute.Status.choices)
    amount = MoneySerializer(source="money")
    reason = serializers.CharField(help_text="The gateway's word.")
    withdrawn_at = serializers.DateTimeField(allow_null=True, help_text="When it was taken from the wallet.")
    returned_at = serializers.DateTimeField(allow_null=True, help_text="When it came back, because it was won.")
    created_at = serializers.DateTimeField()


class PaymentSerializer(GivenReferencesSerializer):
    """A payment."""

    id = serializers.CharField(source="reference", help_text="The id that you chose as `payment_id`, or ours.")
    status = serializers.ChoiceField(choices=Payment.Status.choices)
    amount = MoneySerializer(source="money")
    description = serializers.CharField()
    plan = serializers.CharField(source="plan.code", default=None, allow_null=True)
    subscription = serializers.CharField(source="subscription.public_id", default=None, allow_null=True)
    change = PaidChangeSerializer(
        default=None, allow_null=True, help_text="The change of the subscription that is made with the money, if any."
    )
    gateway = serializers.CharField()
    confirmation_url = serializers.CharField(
        help_text="Where the customer pays. Empty until the gateway has responded, and once the payment is given up."
    )
    save_method = serializers.BooleanField(
        help_text="Whether the gateway keeps the payment method: the customer agreed, and the gateway can."
    )
    amount_received = MoneySerializer(
        source="received", allow_null=True, help_text="What the gateway took, `null` before."
    )
    amount_refunded = MoneySerializer(source="refunded", help_text="The sum of its refunds that have not failed.")
    expires_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    failure = serializers.SerializerMethodField(help_text="Set if the payment failed.")
    parked = serializers.SerializerMethodField(
        help_text="Under review: the gateway took another amount than requested. Staff will decide. Do not pay again."
    )

    refunds = RefundSerializer(many=True)
    disputes = DisputeSerializer(many=True)
    closing = serializers.SerializerMethodField(
        help_text="Given up, but its page is still open: do not pay there. Money that still comes goes to the wallet."
    )

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_failure(self, payment: Payment) -> dict[str, str] | None:
        """Return the reason in the reader's language."""
        failure: Failure | None = failure_of(payment)
        return {"code": failure.code, "detail": str(failure.detail)} if failure else None

    def get_closing(self, payment: Payment) -> bool:
        """Return whether nobody wants the payment any more, while it can still be paid."""
        return payment.closing_at is not None and payment.status in transitions.OPEN

    def get_parked(self, payment: Payment) -> bool:
        """Return whether the payment waits for staff."""
        return bool(payment.parked_reason)

"""How a payment is written in answers."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ledger.api.serializers import MoneySerializer
from payments.failures import Failure, failure_of
from payments.models import Payment


class FailureSerializer(serializers.Serializer):
    """Why it failed, and what the customer can do."""

    code = serializers.CharField()
    detail = serializers.CharField()


class PaymentSerializer(serializers.Serializer):
    """A payment as it stands."""

    id = serializers.CharField(source="public_id")
    status = serializers.ChoiceField(choices=Payment.Status.choices)
    amount = MoneySerializer(source="money")
    description = serializers.CharField()
    plan = serializers.CharField(source="plan.code", default=None, allow_null=True)
    subscription = serializers.CharField(source="subscription.public_id", default=None, allow_null=True)
    gateway = serializers.CharField()
    confirmation_url = serializers.CharField(help_text="Where the customer pays. Empty until the gateway has answered.")
    expires_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    failure = serializers.SerializerMethodField(help_text="Set when it failed.")
    parked = serializers.SerializerMethodField(
        help_text="Under review: what was taken is not what was asked for, and staff look into it. Do not pay again."
    )

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_failure(self, payment: Payment) -> dict[str, str] | None:
        """Return the reason in the reader's language."""
        failure: Failure | None = failure_of(payment)
        return {"code": failure.code, "detail": str(failure.detail)} if failure else None

    def get_parked(self, payment: Payment) -> bool:
        """Tell whether staff must look."""
        return bool(payment.parked_reason)

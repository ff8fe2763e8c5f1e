"""A change of plan or quantity that a payment is for: as a checkout asks for it, and as payments show it."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.fields import WholeField
from core.api.schema_details import either
from core.api.serializers import StrictSerializer
from payments import paid_changes
from payments.models import PaidChange, Payment
from subscriptions.api.serializers import plan_code
from subscriptions.catalogue import MOST_QUANTITY


class ChangeToSerializer(StrictSerializer):
    """What the subscription is changed to, now, with the money of the payment."""

    schema_rules = (either("plan", "quantity"),)

    plan = plan_code(required=False)
    quantity = WholeField(min_value=1, max_value=MOST_QUANTITY, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require either a plan or a quantity."""
        if "plan" in attrs and "quantity" in attrs:
            raise serializers.ValidationError({"quantity": _("Send `plan` or `quantity`, not both.")})
        if not attrs:
            raise serializers.ValidationError({"plan": _("Send either `plan` or `quantity`.")})
        return attrs


class PaidChangeSerializer(serializers.Serializer):
    """The change that a payment is for, made when the payment is confirmed."""

    plan = serializers.CharField(source="price.plan.code")
    quantity = serializers.IntegerField(allow_null=True, help_text="The new quantity; null: the plan changes.")
    made_at = serializers.DateTimeField(allow_null=True, help_text="When it was made.")
    refusal = serializers.SerializerMethodField(
        help_text="Why it was not made, so that the money is on the balance: `other_amount`, `too_late`, "
        "`changed_meanwhile`, `price_changed`, or the code of an error. Null before, and if it was made."
    )

    def get_attribute(self, payment: Payment) -> PaidChange | None:
        """Return the change of the payment, None for one that is for something else."""
        return paid_changes.of(payment)

    def get_refusal(self, change: PaidChange) -> str | None:
        """Return the code of the reason."""
        return change.refusal or None

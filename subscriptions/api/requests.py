"""What may be sent about subscriptions. Unknown fields are errors."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.fields import FlagField, TextField, WholeField
from accounts.api.strict import StrictSerializer
from subscriptions.engine.limits import MOST_PERIODS, MOST_QUANTITY
from subscriptions.models import Subscription

WHEN = [("now", "now"), ("period_end", "period_end")]


def plan_code(**kwargs: Any) -> TextField:
    """A plan is named by its code, as GET /api/plans/ lists it."""
    return TextField(max_length=60, help_text="Code of a plan.", **kwargs)


class PlanQuery(StrictSerializer):
    """Filters of the price list."""

    currency = TextField(max_length=3, required=False, help_text="Only plans sold in it, with that price alone.")


class SubscriptionQuery(StrictSerializer):
    """Filters of a list of subscriptions: as they are now."""

    status = serializers.ChoiceField(choices=Subscription.Status.choices, required=False)
    plan = plan_code(required=False)
    limit = serializers.CharField(required=False, help_text="1 to 100.")
    cursor = serializers.CharField(required=False, help_text="As given in `next` and `previous`.")


class SubscribeSerializer(StrictSerializer):
    """An order for a subscription."""

    plan = plan_code()
    currency = TextField(
        max_length=3,
        required=False,
        help_text="Needed when the plan is sold in several, unless the customer's only wallet is in one of them.",
    )
    periods = WholeField(
        min_value=1, max_value=MOST_PERIODS, required=False, help_text="How many intervals one payment buys; 1."
    )
    duration = WholeField(min_value=1, max_value=MOST_PERIODS, required=False, help_text="Another name for `periods`.")
    quantity = WholeField(min_value=1, max_value=MOST_QUANTITY, default=1)
    auto_renew = FlagField(default=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make one number of `periods` and `duration`."""
        if "periods" in attrs and "duration" in attrs:
            raise serializers.ValidationError({"duration": _("Send `periods` or `duration`, not both.")})
        attrs["periods"] = attrs.pop("duration", attrs.get("periods", 1))
        return attrs


class ChangePlanSerializer(StrictSerializer):
    """Another plan, in the subscription's own currency; or a quote of change-preview, which has plan and time."""

    plan = plan_code(required=False)
    when = serializers.ChoiceField(choices=WHEN, required=False, help_text="When the plan changes; now.")
    quote = TextField(max_length=40, required=False, help_text="Exactly its amounts are posted, or nothing is.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want a plan or a quote, and not two opinions of the same thing."""
        twice = [name for name in ("plan", "when") if name in attrs and "quote" in attrs]
        if twice:
            raise serializers.ValidationError(dict.fromkeys(twice, _("The quote says it already; leave it out.")))
        if "plan" not in attrs and "quote" not in attrs:
            raise serializers.ValidationError({"plan": _("Send `plan` or `quote`, one of the two.")})
        return attrs


class PatchSubscriptionSerializer(StrictSerializer):
    """What of a subscription can be changed."""

    plan = plan_code(required=False)
    when = serializers.ChoiceField(choices=WHEN, required=False, help_text="When the plan changes; now.")
    auto_renew = FlagField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """`when` says when the plan changes, and means nothing without one."""
        if "when" in attrs and "plan" not in attrs:
            raise serializers.ValidationError({"when": _("`when` goes with `plan`.")})
        return attrs


class CancelSerializer(StrictSerializer):
    """How to cancel: by default at the end of what is paid for, or of the trial, and at once where there is none."""

    when = serializers.ChoiceField(choices=WHEN, required=False)
    refund_unused = FlagField(default=False, help_text="Put the unused part back into the wallet.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Only what ends now leaves something unused."""
        if attrs["refund_unused"] and attrs.get("when") != "now":
            raise serializers.ValidationError({"refund_unused": _('`refund_unused` goes with `"when": "now"`.')})
        return attrs


class NothingSerializer(StrictSerializer):
    """An empty body."""

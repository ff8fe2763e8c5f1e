"""How plans, subscriptions and wallets are written in answers."""

from typing import Any, Literal

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ledger.api.fields import MoneyField
from ledger.api.serializers import MoneySerializer
from subscriptions.holdings import Holding
from subscriptions.models import Price, Subscription
from subscriptions.standing import View


class PriceSerializer(serializers.Serializer):
    """One version of what a plan costs in one currency."""

    amount = MoneySerializer(source="money", help_text="For one interval.")
    interval = serializers.ChoiceField(choices=Price.Interval.choices)
    interval_count = serializers.IntegerField()
    billing = serializers.SerializerMethodField(help_text="`advance`: buys the next interval. `metered`: a rate.")
    trial_days = serializers.IntegerField()
    grace_days = serializers.IntegerField()
    version = serializers.IntegerField()

    def get_billing(self, price: Price) -> Literal["advance", "metered"]:
        """Return how it is billed."""
        return "metered" if price.metered else "advance"


class PlanSerializer(serializers.Serializer):
    """Something to subscribe to; name, description and features in the request's language."""

    code = serializers.CharField()
    name = serializers.CharField(source="title")
    description = serializers.CharField(source="summary")
    features = serializers.ListField(source="points", child=serializers.CharField())
    is_highlighted = serializers.BooleanField()
    prices = PriceSerializer(source="current_prices", many=True, help_text="One for each currency it is sold in.")


class PeriodSerializer(serializers.Serializer):
    """Half-open: `end` is the first instant after it."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class NextChargeSerializer(serializers.Serializer):
    """The next payment of an advance price."""

    at = serializers.DateTimeField()
    amount = MoneySerializer()


class NextStepSerializer(serializers.Serializer):
    """The request that pays for a subscription that waits for money."""

    action = serializers.CharField()
    method = serializers.CharField()
    url = serializers.CharField()
    body = serializers.DictField(child=serializers.CharField())


class SubscriptionSerializer(serializers.Serializer):
    """A subscription as it is at the instant of the answer."""

    id = serializers.CharField(source="row.public_id")
    plan = serializers.CharField(source="price.plan.code")
    price = PriceSerializer()
    status = serializers.ChoiceField(choices=Subscription.Status.choices)
    access = serializers.BooleanField(source="access.active", help_text="Whether it may be used now.")
    quantity = serializers.IntegerField(source="row.quantity")
    periods = serializers.IntegerField(source="row.periods", help_text="How many intervals one payment buys.")
    auto_renew = serializers.BooleanField()
    cancel_at_period_end = serializers.BooleanField(source="cancel_requested")
    scheduled_plan = serializers.CharField(
        source="scheduled.plan.code", default=None, allow_null=True, help_text="Takes over when the period ends."
    )
    current_period = PeriodSerializer(source="period", allow_null=True)
    trial_end = serializers.DateTimeField(allow_null=True)
    grace_end = serializers.DateTimeField(allow_null=True)
    next_charge = NextChargeSerializer(allow_null=True)
    created_at = serializers.DateTimeField(source="row.created_at")
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    next = serializers.SerializerMethodField(help_text="How to pay, while it waits for money.")

    @extend_schema_field(NextStepSerializer(allow_null=True))
    def get_next(self, holding: Holding) -> dict[str, Any] | None:
        """Name the request that pays for it."""
        if not holding.is_unpaid:
            return None
        return {
            "action": "create-checkout-session",
            "method": "POST",
            "url": "/api/payments/create-checkout-session",
            "body": {"subscription": holding.row.public_id},
        }


class AccessSerializer(serializers.Serializer):
    """Whether a subscription may be used at this instant, computed and not looked up."""

    active = serializers.BooleanField()
    until = serializers.DateTimeField(allow_null=True, help_text="Certain until then; null: no end in sight, or over.")
    reason = serializers.ChoiceField(choices=Subscription.Status.choices)


class EndingSerializer(serializers.Serializer):
    """A subscription for which there will be no money."""

    subscription = serializers.CharField(source="subscription.public_id")
    plan = serializers.CharField(source="price.plan.code")


class RunwaySerializer(serializers.Serializer):
    """Where the money ends at the present use, if none comes in."""

    ends_at = serializers.DateTimeField()
    hours_left = serializers.IntegerField(help_text="Whole hours until then.")
    ends = EndingSerializer(many=True, help_text="What there is no money for then.")


class WalletSerializer(serializers.Serializer):
    """What the customer has in one currency. Wants the forecasts by currency in its context."""

    currency = serializers.CharField()
    balance = MoneyField(read_only=True, help_text="What is written down.")
    available = MoneyField(
        read_only=True, help_text="After what is used or due at this instant but not yet written down."
    )
    runway = serializers.SerializerMethodField(help_text="null: no end in sight within a year.")

    @extend_schema_field(RunwaySerializer(allow_null=True))
    def get_runway(self, view: View) -> dict[str, Any] | None:
        """Say how long it lasts."""
        found = self.context["forecasts"].get(view.currency)
        return dict(RunwaySerializer(found).data) if found else None

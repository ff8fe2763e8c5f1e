"""What the subscriptions API accepts and returns. Unknown fields in a request are errors."""

from typing import Any, Literal

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import FlagField, TextField, WholeField
from core.api.schema_details import either, examples, needs, not_both
from core.api.serializers import MOST_NAMES, StrictSerializer, shortened
from ledger.api.serializers import MoneySerializer
from subscriptions.catalogue import MOST_PERIODS, MOST_QUANTITY
from subscriptions.models import Plan, Price, Subscription
from subscriptions.overview import SubscriptionState

WHEN = [("now", "now"), ("period_end", "period_end")]


def plan_code(**kwargs: Any) -> TextField:
    """Return a field for the code of a plan, as GET /api/plans/ lists it."""
    return TextField(max_length=60, help_text="Code of a plan.", **kwargs)


def check_plan(code: str) -> str:
    """Return the code as the plan has it; raise a ValidationError if no plan has it in any case."""
    codes = dict(Plan.objects.filter(code__iexact=code).values_list("code", "code")[:1])
    if not codes:
        known = ", ".join(Plan.objects.values_list("code", flat=True)[:MOST_NAMES])
        words = {"code": shortened(code), "known": known or "-"}
        raise serializers.ValidationError(_("No plan has the code %(code)s. Known: %(known)s.") % words)
    return next(iter(codes))


class SubscriptionQuery(StrictSerializer):
    """Filters of a list of subscriptions. They apply to the current state, whatever the rows say."""

    status = serializers.ChoiceField(choices=Subscription.Status.choices, required=False)
    plan = plan_code(required=False)
    limit = serializers.CharField(required=False, help_text="1 to 100.")
    cursor = serializers.CharField(required=False, help_text="From `next` or `previous`.")

    def validate_plan(self, code: str) -> str:
        """Refuse a code that no plan has."""
        return check_plan(code)


@examples(month={"plan": "basic", "currency": "RUB"}, year={"plan": "basic", "currency": "RUB", "periods": 12})
class SubscribeSerializer(StrictSerializer):
    """A new subscription."""

    schema_rules = (not_both("periods", "duration"),)

    plan = plan_code()
    currency = TextField(
        max_length=3,
        required=False,
        help_text="Required if the plan is sold in several, unless the customer's only wallet is in one of them.",
    )
    periods = WholeField(
        min_value=1, max_value=MOST_PERIODS, required=False, help_text="How many intervals one payment buys; default 1."
    )
    duration = WholeField(min_value=1, max_value=MOST_PERIODS, required=False, help_text="Alias of `periods`.")
    quantity = WholeField(min_value=1, max_value=MOST_QUANTITY, default=1)
    auto_renew = FlagField(default=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Merge `duration` into `periods`; sending both is an error."""
        if "periods" in attrs and "duration" in attrs:
            raise serializers.ValidationError({"duration": _("Send `periods` or `duration`, not both.")})
        attrs["periods"] = attrs.pop("duration", attrs.get("periods", 1))
        return attrs


class ChangeSerializer(StrictSerializer):
    """A change by its terms, or a quote of change-preview, which has them. Its subclasses name the term."""

    term = ""
    when = serializers.ChoiceField(choices=WHEN, required=False, help_text="When it takes effect; default now.")
    quote = TextField(max_length=40, required=False, help_text="At most the quoted amounts are charged, or nothing.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require either the term or a quote, and no term or `when` with a quote, which has its own."""
        redundant = [name for name in (self.term, "when") if name in attrs and "quote" in attrs]
        if redundant:
            raise serializers.ValidationError(dict.fromkeys(redundant, _("The quote already has this. Omit it.")))
        if self.term not in attrs and "quote" not in attrs:
            raise serializers.ValidationError({self.term: _("Send either `%s` or `quote`.") % self.term})
        return attrs


@examples(plan={"plan": "standard", "when": "period_end"}, quote={"quote": "quo_01m7y9ck0te9v8b8p2f0d3r6sx"})
class ChangePlanSerializer(ChangeSerializer):
    """A change of plan: one sold in the subscription's currency, or the one it has; or a quote."""

    schema_rules = (either("plan", "quote"), not_both("quote", "when"))

    term = "plan"
    plan = plan_code(required=False)


@examples(quantity={"quantity": 2})
class ChangeQuantitySerializer(ChangeSerializer):
    """A change of the quantity, or a quote."""

    schema_rules = (either("quantity", "quote"), not_both("quote", "when"))

    term = "quantity"
    quantity = WholeField(min_value=1, max_value=MOST_QUANTITY, required=False)


@examples(renewal={"auto_renew": False}, quantity={"quantity": 2, "when": "period_end"})
class PatchSubscriptionSerializer(StrictSerializer):
    """The fields of a subscription that can be changed."""

    schema_rules = (needs("when", "plan", "quantity"),)

    plan = plan_code(required=False)
    quantity = WholeField(min_value=1, max_value=MOST_QUANTITY, required=False)
    when = serializers.ChoiceField(
        choices=WHEN, required=False, help_text="When plan and quantity change; default now."
    )
    auto_renew = FlagField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Reject `when` without `plan` or `quantity`."""
        if "when" in attrs and not attrs.keys() & {"plan", "quantity"}:
            raise serializers.ValidationError({"when": _("Send `when` only with `plan` or `quantity`.")})
        return attrs


@examples(later={"when": "period_end"}, now={"when": "now", "refund_unused": True})
class CancelSerializer(StrictSerializer):
    """How to cancel: by default at the end of the paid period or trial, or at once if there is none."""

    schema_rules = (
        {
            "if": {"required": ["refund_unused"], "properties": {"refund_unused": {"const": True}}},
            "then": {"required": ["when"], "properties": {"when": {"const": "now"}}},
        },
    )

    when = serializers.ChoiceField(choices=WHEN, required=False)
    refund_unused = FlagField(default=False, help_text="Refund the unused time to the wallet.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Reject `refund_unused` unless it ends now: otherwise no time is left unused."""
        if attrs["refund_unused"] and attrs.get("when") != "now":
            raise serializers.ValidationError({"refund_unused": _('Send `refund_unused` only with `"when": "now"`.')})
        return attrs


class NothingSerializer(StrictSerializer):
    """An empty body."""


class PriceSerializer(serializers.Serializer):
    """One version of a plan's price in one currency."""

    amount = MoneySerializer(source="money", help_text="For one interval.")
    interval = serializers.ChoiceField(choices=Price.Interval.choices)
    interval_count = serializers.IntegerField()
    billing = serializers.SerializerMethodField(help_text="`advance`: each payment buys time ahead. `metered`: a rate.")
    trial_days = serializers.IntegerField()
    trial_quantity_max = serializers.IntegerField(help_text="The largest quantity that a trial is given for.")
    grace_days = serializers.IntegerField(help_text="How long an unpaid renewal keeps access, at most.")
    keep_days = serializers.IntegerField(help_text="How long a suspended subscription waits for money.")
    can_pause = serializers.BooleanField()
    can_refund_unused = serializers.BooleanField(help_text="Whether a cancellation now may refund the unused time.")
    version = serializers.IntegerField()

    def get_billing(self, price: Price) -> Literal["advance", "metered"]:
        """Return `metered` or `advance`."""
        return "metered" if price.metered else "advance"


class PeriodSerializer(serializers.Serializer):
    """A half-open period: `end` is the first instant after it."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class NextChargeSerializer(serializers.Serializer):
    """The next payment of a price paid in advance."""

    at = serializers.DateTimeField()
    amount = MoneySerializer()


class NextStepSerializer(serializers.Serializer):
    """The request that pays for an unpaid subscription."""

    action = serializers.CharField()
    method = serializers.CharField()
    url = serializers.CharField()
    body = serializers.DictField(child=serializers.CharField())


class SubscriptionSerializer(serializers.Serializer):
    """A subscription in its state at the moment of the response."""

    id = serializers.CharField(source="row.public_id")
    plan = serializers.CharField(source="price.plan.code")
    price = PriceSerializer()
    status = serializers.ChoiceField(choices=Subscription.Status.choices)
    access = serializers.BooleanField(source="access.active", help_text="Whether it can be used now.")
    quantity = serializers.IntegerField()
    periods = serializers.IntegerField(source="row.periods", help_text="How many intervals one payment covers.")
    auto_renew = serializers.BooleanField()
    cancel_at_period_end = serializers.BooleanField(source="cancel_requested")
    scheduled_plan = serializers.CharField(
        source="scheduled.plan.code", default=None, allow_null=True, help_text="The plan from the end of the period on."
    )
    scheduled_quantity = serializers.IntegerField(
        allow_null=True, help_text="The quantity from the end of the period on."
    )
    current_period = PeriodSerializer(source="period", allow_null=True)
    trial_end = serializers.DateTimeField(allow_null=True)
    grace_end = serializers.DateTimeField(allow_null=True)
    wait_end = serializers.DateTimeField(
        allow_null=True, help_text="Pending or suspended: when it expires unless it has started."
    )
    next_charge = NextChargeSerializer(allow_null=True)
    created_at = serializers.DateTimeField(source="row.created_at")
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    next = serializers.SerializerMethodField(help_text="How to pay, while it is unpaid.")

    @extend_schema_field(NextStepSerializer(allow_null=True))
    def get_next(self, state: SubscriptionState) -> dict[str, Any] | None:
        """Return the request that pays for it; None if it is not unpaid."""
        if not state.is_unpaid:
            return None
        return {
            "action": "create-checkout-session",
            "method": "POST",
            "url": "/api/payments/create-checkout-session",
            "body": {"subscription": state.row.public_id},
        }


class AccessSerializer(serializers.Serializer):
    """Whether a subscription can be used now. It is calculated, not looked up."""

    active = serializers.BooleanField()
    until = serializers.DateTimeField(allow_null=True, help_text="Certain until then; null: no known end, or ended.")
    reason = serializers.ChoiceField(choices=Subscription.Status.choices)

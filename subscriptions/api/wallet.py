"""What the caller has paid in and not yet used."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.filters import refuse_unknown_parameters
from ledger.api.serializers import MoneyField
from subscriptions import forecast, overview
from subscriptions.overview import View


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


class Wallet(APIView):
    """Balances by currency."""

    answer = inline_serializer("Wallets", {"results": WalletSerializer(many=True)})

    @extend_schema(operation_id="wallet_retrieve", responses=answer)
    def get(self, request: Request) -> Response:
        """Return the balance of each currency the caller has had money in, and how long it lasts."""
        refuse_unknown_parameters(request, ())
        now = timezone.now()
        held = overview.of(request.user, now=now)  # type: ignore[arg-type]
        context = {"forecasts": forecast.by_currency(held.views, now=now)}
        return Response({"results": WalletSerializer(held.views, many=True, context=context).data})

"""The wallet endpoint: the caller's balances and debts by currency, and how long each balance lasts."""

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
    """A subscription that can no longer be paid for."""

    subscription = serializers.CharField(source="subscription.public_id")
    plan = serializers.CharField(source="price.plan.code")


class RunwaySerializer(serializers.Serializer):
    """When the money runs out at the current rate of use, if none comes in."""

    ends_at = serializers.DateTimeField()
    hours_left = serializers.IntegerField(help_text="Full hours until then.")
    ends = EndingSerializer(many=True, help_text="The subscriptions that cannot be paid for then.")


class WalletSerializer(serializers.Serializer):
    """A wallet. Its context must hold `forecasts`, a dict by currency."""

    currency = serializers.CharField()
    balance = MoneyField(read_only=True, help_text="The posted balance.")
    available = MoneyField(read_only=True, help_text="The balance less what is used or due now but not posted yet.")
    debt = MoneyField(read_only=True, help_text="What is owed. Money that comes in pays it first.")
    runway = serializers.SerializerMethodField(help_text="null: it lasts for more than a year.")

    @extend_schema_field(RunwaySerializer(allow_null=True))
    def get_runway(self, view: View) -> dict[str, Any] | None:
        """Return how long the money lasts."""
        outlook = self.context["forecasts"].get(view.currency)
        return dict(RunwaySerializer(outlook).data) if outlook else None


class Wallet(APIView):
    """The caller's wallets."""

    answer = inline_serializer("Wallets", {"results": WalletSerializer(many=True)})

    @extend_schema(operation_id="wallet_retrieve", responses=answer)
    def get(self, request: Request) -> Response:
        """Return the balance in each currency that the caller has had money in, and how long it lasts."""
        refuse_unknown_parameters(request, ())
        now = timezone.now()
        held = overview.of(request.user, now=now)  # type: ignore[arg-type]
        context = {"forecasts": forecast.by_currency(held.views, now=now)}
        return Response({"results": WalletSerializer(held.views, many=True, context=context).data})

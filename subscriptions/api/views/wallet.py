"""What the caller has paid in and not yet used."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.strict import refuse_unknown_parameters
from subscriptions import forecast, holdings
from subscriptions.api.serializers import WalletSerializer


class Wallet(APIView):
    """Balances by currency."""

    answer = inline_serializer("Wallets", {"results": WalletSerializer(many=True)})

    @extend_schema(operation_id="wallet_retrieve", responses=answer)
    def get(self, request: Request) -> Response:
        """Return the balance of each currency the caller has had money in, and how long it lasts."""
        refuse_unknown_parameters(request, ())
        now = timezone.now()
        held = holdings.of(request.user, now=now)  # type: ignore[arg-type]
        context = {"forecasts": forecast.by_currency(held.views, now=now)}
        return Response({"results": WalletSerializer(held.views, many=True, context=context).data})

"""The arithmetic of a change of plan, before the customer agrees to it."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.openapi import INSUFFICIENT_FUNDS
from accounts.api.strict import refuse_unknown_parameters
from subscriptions import prices, quotes
from subscriptions.api.quotes import ChangePreviewQuery, QuoteSerializer, body_of
from subscriptions.api.views.subscriptions import OneSubscription


class ChangePreview(OneSubscription):
    """GET .../change-preview"""

    @extend_schema(
        operation_id="subscriptions_change_preview",
        parameters=[ChangePreviewQuery],
        responses={200: QuoteSerializer, **INSUFFICIENT_FUNDS},
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Quote a change: these amounts are posted when its `id` is sent to change-plan in time, or nothing is."""
        row, query = self.own(), ChangePreviewQuery(data=request.query_params)
        refuse_unknown_parameters(request, query.fields)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        price = prices.current(asked["plan"], row.price.currency)
        return Response(body_of(quotes.make(row, price, now=timezone.now(), when=asked["when"])))

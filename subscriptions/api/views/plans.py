"""The price list, for everybody."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.strict import refuse_unknown_parameters
from subscriptions.api.requests import PlanQuery
from subscriptions.api.serializers import PlanSerializer
from subscriptions.models import Plan, Price


def on_sale(**prices: Any) -> QuerySet[Plan]:
    """Return public plans that have a current price, with these prices."""
    current = Price.objects.filter(archived_at=None, **prices).order_by("currency")
    plans = Plan.objects.filter(is_public=True, pk__in=current.order_by().values("plan"))
    return plans.prefetch_related(Prefetch("prices", current, to_attr="current_prices"))


class PriceList(GenericAPIView):
    """Open to everybody, and in the language that `Accept-Language` asks for."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    filter_backends = ()
    pagination_class = None
    serializer_class = PlanSerializer
    queryset = Plan.objects.none()


class PlanList(PriceList):
    """Every plan on sale."""

    @extend_schema(
        operation_id="plans_list",
        parameters=[PlanQuery],
        responses=inline_serializer("PlanList", {"results": PlanSerializer(many=True)}),
    )
    def get(self, request: Request) -> Response:
        """List the plans in the order of the price list."""
        query = PlanQuery(data=request.query_params)
        refuse_unknown_parameters(request, query.fields)
        query.is_valid(raise_exception=True)
        return Response({"results": PlanSerializer(on_sale(**query.validated_data), many=True).data})


class PlanDetail(PriceList):
    """One plan on sale."""

    @extend_schema(operation_id="plans_retrieve")
    def get(self, request: Request, code: str) -> Response:
        """Return one plan."""
        refuse_unknown_parameters(request, ())
        return Response(PlanSerializer(get_object_or_404(on_sale(), code=code)).data)

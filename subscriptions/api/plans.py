"""The public endpoints of the price list."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.filters import refuse_unknown_parameters
from core.api.serializers import StrictSerializer
from ledger.money import EXPONENTS
from subscriptions.api.serializers import PriceSerializer
from subscriptions.catalogue import plans_on_sale
from subscriptions.models import Plan


class PlanQuery(StrictSerializer):
    """Filters of the price list."""

    currency = serializers.ChoiceField(
        choices=sorted(EXPONENTS), required=False, help_text="Only plans sold in this currency, with that price only."
    )


class PlanSerializer(serializers.Serializer):
    """A plan on sale. Name, description and features are in the request's language."""

    code = serializers.CharField()
    name = serializers.CharField(source="title")
    description = serializers.CharField(source="summary")
    features = serializers.ListField(source="points", child=serializers.CharField())
    is_highlighted = serializers.BooleanField()
    needs_confirmed_email = serializers.BooleanField(
        help_text="Only customers who have confirmed their email address can order it."
    )
    prices = PriceSerializer(source="current_prices", many=True, help_text="One for each currency the plan is sold in.")


class PriceList(GenericAPIView):
    """Base of the price list's views: no authentication; the language follows `Accept-Language`."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    filter_backends = ()
    pagination_class = None
    serializer_class = PlanSerializer
    queryset = Plan.objects.none()


class PlanList(PriceList):
    """All plans on sale."""

    @extend_schema(
        operation_id="plans_list",
        parameters=[PlanQuery],
        responses=inline_serializer("PlanList", {"results": PlanSerializer(many=True)}),
    )
    def get(self, request: Request) -> Response:
        """List the plans on sale, in the order of the price list."""
        query = PlanQuery(data=request.query_params)
        refuse_unknown_parameters(request, query.fields)
        query.is_valid(raise_exception=True)
        return Response({"results": PlanSerializer(plans_on_sale(**query.validated_data), many=True).data})


class PlanDetail(PriceList):
    """One plan on sale."""

    @extend_schema(operation_id="plans_retrieve")
    def get(self, request: Request, code: str) -> Response:
        """Return one plan on sale."""
        refuse_unknown_parameters(request, ())
        return Response(PlanSerializer(get_object_or_404(plans_on_sale(), code__iexact=code)).data)

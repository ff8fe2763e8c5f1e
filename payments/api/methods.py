"""The API of saved payment methods: list and remove your own. They are saved by a payment with `save_method`."""

from datetime import date
from typing import cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.api.filters import refuse_unknown_parameters
from core.api.idempotency import Idempotent
from payments import methods
from payments.models import PaymentMethod


class PaymentMethodSerializer(serializers.Serializer):
    """A card or account that a gateway keeps for later payments. We know no more of it than this."""

    id = serializers.CharField(source="public_id")
    gateway = serializers.CharField()
    brand = serializers.CharField(help_text="Such as `Visa`, `MIR` or `SBP`. May be empty.")
    last4 = serializers.CharField(help_text="The last four digits of a card. Empty for other methods.")
    expires_on = serializers.SerializerMethodField(help_text="The last day on which a card can be used.")
    created_at = serializers.DateTimeField()

    def get_expires_on(self, method: PaymentMethod) -> date | None:
        """Return the last day of a card."""
        return method.expires_on.date() if method.expires_on else None


class OwnMethods(GenericAPIView):
    """The caller's own payment methods. Those of others are answered as not found."""

    serializer_class = PaymentMethodSerializer
    queryset = PaymentMethod.objects.none()
    filter_backends = ()


class PaymentMethodList(OwnMethods):
    """The saved payment methods."""

    empty_detail = gettext_lazy("No saved payment methods")

    def get_queryset(self) -> QuerySet[PaymentMethod]:
        """Return the caller's methods that are not removed."""
        return methods.kept(cast(User, self.request.user))

    @extend_schema(operation_id="payment_methods_list", responses=PaymentMethodSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List your saved payment methods, newest first. An empty list comes with a `detail`."""
        refuse_unknown_parameters(request, ("limit", "cursor"))
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(PaymentMethodSerializer(page, many=True).data)


class PaymentMethodDetail(Idempotent, OwnMethods):
    """One saved payment method."""

    @extend_schema(operation_id="payment_methods_destroy", responses={204: None})
    def delete(self, request: Request, public_id: str) -> Response:
        """Remove a payment method. From now on it is not listed and not charged, and the gateway is told to forget it.

        Removing it again changes nothing and answers 204 too.
        """
        own = PaymentMethod.objects.filter(customer_id=request.user.pk)
        methods.remove(get_object_or_404(own, public_id=public_id), now=timezone.now())
        return Response(status=204)

"""Payments: started, listed, looked at."""

from typing import cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.idempotency import Idempotent
from accounts.api.strict import refuse_unknown_parameters
from accounts.models import User
from payments import checkout
from payments.api.orders import form_key, order_of
from payments.api.requests import CheckoutSerializer, PaymentFilters, TopUpSerializer
from payments.api.serializers import PaymentSerializer
from payments.models import Payment


class OwnPayments(GenericAPIView):
    """The caller's own payments; anybody else's are as good as absent."""

    serializer_class = PaymentSerializer
    queryset = Payment.objects.none()

    def get_queryset(self) -> QuerySet[Payment]:
        """Return the caller's rows."""
        mine = Payment.objects.filter(customer_id=self.request.user.pk)
        return mine.select_related("plan", "subscription", "customer")

    def own(self, public_id: str) -> Payment:
        """Return one of them by its public id, or answer 404."""
        return get_object_or_404(self.get_queryset(), public_id=public_id)


class TopUp(Idempotent, OwnPayments):
    """Pay into the wallet."""

    @extend_schema(operation_id="payment_create", request=TopUpSerializer, responses={201: PaymentSerializer})
    def post(self, request: Request) -> Response:
        """Start a payment that tops up the wallet; the customer pays at `confirmation_url`."""
        form = TopUpSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        customer, key = cast(User, request.user), form_key(self.idempotency_key)
        terms = {"form_key": key, "language": customer.language, **form.validated_data}
        payment = checkout.start(customer, now=timezone.now(), **terms)
        return Response(PaymentSerializer(payment).data, 201)


class PaymentList(TopUp):
    """The caller's payments, and the way to make one."""

    filterset_class = PaymentFilters
    empty_detail = _("No payments found")

    @extend_schema(operation_id="payments_list", responses=PaymentSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List them, newest first. An empty list says so in `detail`."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(PaymentSerializer(page, many=True).data)

    @extend_schema(operation_id="payments_create", request=TopUpSerializer, responses={201: PaymentSerializer})
    def post(self, request: Request) -> Response:
        """Start a payment that tops up the wallet; the customer pays at `confirmation_url`."""
        return super().post(request)


class PaymentDetail(OwnPayments):
    """One payment."""

    filter_backends = ()

    @extend_schema(operation_id="payments_retrieve")
    def get(self, request: Request, public_id: str) -> Response:
        """Return it as it stands in our books. To have the gateway asked, use confirm-payment."""
        refuse_unknown_parameters(request, ())
        return Response(PaymentSerializer(self.own(public_id)).data)


class CreateCheckoutSession(Idempotent, OwnPayments):
    """Pay for a plan, or for a subscription that waits for money."""

    filter_backends = ()

    @extend_schema(
        operation_id="payments_create_checkout_session", request=CheckoutSerializer, responses={201: PaymentSerializer}
    )
    def post(self, request: Request) -> Response:
        """Open a checkout: the price is worked out here, and the customer pays at `confirmation_url`."""
        form = CheckoutSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        customer = cast(User, request.user)
        order = order_of(customer, form.validated_data, idempotency_key=self.idempotency_key)
        payment = checkout.start(customer, now=timezone.now(), **order)
        return Response(PaymentSerializer(payment).data, 201)

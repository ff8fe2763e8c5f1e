"""From a request's values to what payments.checkout takes: names become rows, amounts minor units."""

from typing import Any, cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.api.filters import refuse_unknown_parameters
from core.api.idempotency import Idempotent
from core.api.lookup import find_by_public_id
from payments import cancellation, checkout, confirmation
from payments.api.serializers import (
    CheckoutSerializer,
    PaymentFilters,
    PaymentIdSerializer,
    PaymentSerializer,
    TopUpSerializer,
    minor_units,
)
from payments.checkout import CheckoutRequest
from payments.models import Payment
from subscriptions import catalogue
from subscriptions.models import Subscription


def checkout_request(customer: User, sent: dict[str, Any], *, idempotency_key: str | None) -> CheckoutRequest:
    """Return the checkout that a validated CheckoutSerializer asks for.

    Raises NotFound for a subscription that does not belong to the customer.
    """
    found = cast(CheckoutRequest, {key: value for key, value in sent.items() if key not in ("amount", "subscription")})
    found["idempotency_key"], found["language"] = idempotency_key, customer.language
    if "subscription" in sent:
        mine = Subscription.objects.filter(customer=customer).select_related("price__plan", "customer")
        detail = _("You have no subscription of this id; GET /api/subscriptions/ lists yours.")
        found["subscription"] = find_by_public_id(
            mine, param="subscription", detail=detail, public_id=sent["subscription"]
        )
    if "amount" in sent:
        found["amount"] = minor_units(sent["amount"], _currency(customer, found), param="amount")
    return found


def _currency(customer: User, wanted: CheckoutRequest) -> str:
    """Return the currency of the amount: the one sent, else that of what is bought."""
    if named := wanted.get("currency"):
        return named
    if "subscription" in wanted:
        subscription: Subscription = wanted["subscription"]
        return subscription.price.currency
    return catalogue.chosen(wanted["plan"], customer=customer, currency=None).currency


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
        customer = cast(User, request.user)
        terms = {"idempotency_key": self.idempotency_key, "language": customer.language, **form.validated_data}
        payment = checkout.start(customer, now=timezone.now(), **terms)
        return Response(PaymentSerializer(payment).data, 201)


class PaymentList(TopUp):
    """The caller's payments, and the way to make one."""

    filterset_class = PaymentFilters
    empty_detail = gettext_lazy("No payments found")

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
        wanted = checkout_request(customer, form.validated_data, idempotency_key=self.idempotency_key)
        payment = checkout.start(customer, now=timezone.now(), **wanted)
        return Response(PaymentSerializer(payment).data, 201)


class OnePaymentNamed(Idempotent, OwnPayments):
    """A payment of the caller's own that the body names."""

    filter_backends = ()

    def named(self) -> Payment:
        """Return the payment; raise NotFound, which names the parameter."""
        body = PaymentIdSerializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        detail = _("You have no payment of this id; GET /api/payments/ lists yours.")
        return find_by_public_id(
            self.get_queryset(), param="payment_id", detail=detail, public_id=body.validated_data["payment_id"]
        )


class ConfirmPayment(OnePaymentNamed):
    """Learn whether a payment was paid."""

    @extend_schema(operation_id="payments_confirm", request=PaymentIdSerializer, responses={200: PaymentSerializer})
    def post(self, request: Request) -> Response:
        """Ask the gateway; confirm the payment if it was paid, else 409 with its `state`."""
        payment = confirmation.confirm(self.named().pk, now=timezone.now())
        confirmation.require(payment)
        return Response(PaymentSerializer(payment).data)


class CancelPayment(OnePaymentNamed):
    """Give a payment up."""

    @extend_schema(operation_id="payments_cancel", request=PaymentIdSerializer, responses={200: PaymentSerializer})
    def post(self, request: Request) -> Response:
        """Cancel a pending payment, at the gateway too; otherwise 409 with its `state`."""
        payment = cancellation.cancel(self.named(), now=timezone.now())
        return Response(PaymentSerializer(payment).data)

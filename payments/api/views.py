"""The payments API: start, list, show, confirm and cancel payments."""

from datetime import datetime
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
from core.api.lookup import NotFound
from payments import cancellation, checkout, confirmation, payment_ids
from payments.api.consents import check_words, known_address
from payments.api.filters import PaymentFilters, own_subscription
from payments.api.serializers import (
    CheckoutSerializer,
    PaymentIdSerializer,
    PaymentSerializer,
    TopUpSerializer,
    minor_units,
)
from payments.checkout_request import CheckoutRequest, find_by_key
from payments.collection import checkout_consents, consents
from payments.models import Payment
from payments.paid_changes import ChangeTo
from subscriptions import catalogue, quotes
from subscriptions.models import Subscription


def checkout_request(
    customer: User, sent: dict[str, Any], *, idempotency_key: str | None, now: datetime
) -> CheckoutRequest:
    """Return the CheckoutRequest for the validated data of a CheckoutSerializer.

    Raises NotFound if the customer has no such subscription, PlanNotFound if the plan to change to is not sold.
    """
    read_below = ("amount", "subscription", "change")
    terms = cast(CheckoutRequest, {key: value for key, value in sent.items() if key not in read_below})
    terms["idempotency_key"], terms["language"] = idempotency_key, customer.language
    if "subscription" in sent:
        terms["subscription"] = own_subscription(customer, sent["subscription"])
    if change := sent.get("change"):
        row = terms["subscription"]
        code = change.get("plan")
        price = row.price if code is None else quotes.price_for(row, code, now=now)
        terms["change"] = ChangeTo(price, change.get("quantity"))
    if "amount" in sent:
        terms["amount"] = minor_units(sent["amount"], _currency(customer, terms), param="amount")
    return terms


def agree(request: Request, terms: CheckoutRequest, *, now: datetime) -> None:
    """Replace the `renewal_words` of the terms with the customer's agreement to them, which saves the method too.

    Raises WordsRequired if they are not the words of today.
    """
    sent = cast(dict[str, Any], terms)
    if "renewal_words" in sent:
        words = checkout_consents.words()
        check_words(sent, words, param="renewal_words")
        del sent["renewal_words"]
        terms["save_method"] = True
        terms["agreement"] = consents.agreed(words, address=known_address(request), now=now)


def _currency(customer: User, request: CheckoutRequest) -> str:
    """Return the currency of the amount: the one sent, or else that of the subscription or the plan.

    For a request that comes again it is that of its payment: the plan may have another price by now, or none.
    """
    if currency := request.get("currency"):
        return currency
    if "subscription" in request:
        subscription: Subscription = request["subscription"]
        return subscription.price.currency
    if payment := find_by_key(customer, request.get("idempotency_key")):
        return payment.currency
    return catalogue.chosen(request["plan"], customer=customer, currency=None).currency


class OwnPayments(GenericAPIView):
    """The caller's own payments. Those of others are answered as not found."""

    serializer_class = PaymentSerializer
    queryset = Payment.objects.none()

    def get_queryset(self) -> QuerySet[Payment]:
        """Return the caller's payments."""
        own = Payment.objects.filter(customer_id=self.request.user.pk)
        return own.select_related("plan", "subscription", "customer", "change__price__plan").prefetch_related(
            "refunds", "disputes"
        )

    def own(self, payment_id: str) -> Payment:
        """Return the caller's payment with this id, public or their own; raise Http404 if there is none."""
        return get_object_or_404(self.get_queryset(), payment_ids.matching(payment_id))


class TopUp(Idempotent, OwnPayments):
    """Top up the wallet."""

    @extend_schema(
        operation_id="payment_create", tags=["payments"], request=TopUpSerializer, responses={201: PaymentSerializer}
    )
    def post(self, request: Request) -> Response:
        """Start a payment that tops up the wallet; the customer pays at `confirmation_url`."""
        form = TopUpSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        customer = cast(User, request.user)
        sent = {"idempotency_key": self.idempotency_key, "language": customer.language, **form.validated_data}
        terms, now = cast(CheckoutRequest, sent), timezone.now()
        agree(request, terms, now=now)
        payment = checkout.start(customer, now=now, **terms)
        return Response(PaymentSerializer(payment).data, 201)


class PaymentList(TopUp):
    """List the caller's payments and start a top-up."""

    filterset_class = PaymentFilters
    empty_detail = gettext_lazy("No payments found")

    @extend_schema(operation_id="payments_list", responses=PaymentSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the caller's payments, newest first. An empty list comes with a `detail`."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(PaymentSerializer(page, many=True).data)

    @extend_schema(operation_id="payments_create", request=TopUpSerializer, responses={201: PaymentSerializer})
    def post(self, request: Request) -> Response:
        """Start a payment that tops up the wallet; the customer pays at `confirmation_url`."""
        return super().post(request)


class PaymentDetail(OwnPayments):
    """Show one payment."""

    filter_backends = ()

    @extend_schema(operation_id="payments_retrieve")
    def get(self, request: Request, public_id: str) -> Response:
        """Return a payment as we have recorded it. To check it at the gateway, use confirm-payment."""
        refuse_unknown_parameters(request, ())
        return Response(PaymentSerializer(self.own(public_id)).data)


class CreateCheckoutSession(Idempotent, OwnPayments):
    """Pay for a plan, or for a subscription that waits for money."""

    filter_backends = ()

    @extend_schema(
        operation_id="payments_create_checkout_session", request=CheckoutSerializer, responses={201: PaymentSerializer}
    )
    def post(self, request: Request) -> Response:
        """Start a payment for the amount due, calculated here; the customer pays at `confirmation_url`."""
        form = CheckoutSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        customer = cast(User, request.user)
        now = timezone.now()
        terms = checkout_request(customer, form.validated_data, idempotency_key=self.idempotency_key, now=now)
        agree(request, terms, now=now)
        payment = checkout.start(customer, now=now, **terms)
        return Response(PaymentSerializer(payment).data, 201)


class PaymentInBody(Idempotent, OwnPayments):
    """Base of the views whose request body has a `payment_id`."""

    filter_backends = ()

    def payment(self) -> Payment:
        """Return the caller's payment with that id; raise NotFound with `param` set if there is none."""
        body = PaymentIdSerializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        detail = _("You have no payment with this id. GET /api/payments/ lists your payments.")
        row = self.get_queryset().filter(payment_ids.matching(body.validated_data["payment_id"])).first()
        if row is None:
            raise NotFound(detail, param="payment_id")
        return row


class ConfirmPayment(PaymentInBody):
    """Check whether a payment was paid."""

    @extend_schema(operation_id="payments_confirm", request=PaymentIdSerializer, responses={200: PaymentSerializer})
    def post(self, request: Request) -> Response:
        """Check the payment at the gateway and confirm it if it was paid; otherwise answer 409 with its `state`."""
        payment = confirmation.confirm(self.payment().pk, now=timezone.now())
        confirmation.require(payment)
        return Response(PaymentSerializer(payment).data)


class CancelPayment(PaymentInBody):
    """Cancel a payment."""

    @extend_schema(operation_id="payments_cancel", request=PaymentIdSerializer, responses={200: PaymentSerializer})
    def post(self, request: Request) -> Response:
        """Cancel a pending payment, at the gateway too; in any other state answer 409 with its `state`."""
        payment = cancellation.cancel(self.payment(), now=timezone.now())
        return Response(PaymentSerializer(payment).data)

"""The API of refunds: staff refund any payment, and customers see theirs and cancel with a refund to the card."""

from typing import Any, cast

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.api.fields import TextField
from core.api.idempotency import Idempotent
from core.api.schema import INSUFFICIENT_FUNDS, NOT_FOUND
from core.api.schema_details import examples
from core.api.serializers import StrictSerializer
from ledger.api.serializers import MoneySerializer
from payments import cancellation_refunds, payment_ids, refunds
from payments.api.filters import own_subscription
from payments.api.serializers import AmountField, RefundSerializer, SentAmount, minor_units
from payments.models import Payment, Refund

# Who may refund and who may see other customers' payments: the permissions of the same acts in the admin.
MAY_REFUND, MAY_VIEW = "payments.refund_payment", "payments.view_payment"


@examples(part={"amount": "100.00", "destination": "wallet", "reason": "The site was slow"})
class NewRefundSerializer(StrictSerializer):
    """A refund to make."""

    amount = AmountField(required=False, help_text="By default all that is left of the payment.")
    destination = serializers.ChoiceField(
        choices=Refund.Destination.choices,
        default=Refund.Destination.CARD,
        help_text="`card`: back to where it was paid from, taken from the wallet. `wallet`: money of the seller.",
    )
    reason = TextField(max_length=200, required=False, allow_blank=True, help_text="Why. The customer reads it.")


class PaymentRefunds(Idempotent, GenericAPIView):
    """The refunds of one payment."""

    is_key_required = True
    serializer_class = RefundSerializer
    queryset = Refund.objects.none()
    filter_backends = ()

    @extend_schema(operation_id="payments_refunds_list", responses=RefundSerializer(many=True))
    def get(self, request: Request, public_id: str) -> Response:
        """List the refunds of a payment, newest first: your own payment, or with its permission any customer's."""
        rows = self._payment(public_id).refunds.select_related("payment").order_by("-id")
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(RefundSerializer(page, many=True).data)

    @extend_schema(
        operation_id="payments_refunds_create",
        request=NewRefundSerializer,
        responses={201: RefundSerializer, **INSUFFICIENT_FUNDS},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Refund a confirmed payment, whole or in part. For staff with the permission to change payments.

        A refund to the card is taken from the wallet at once; it is `pending` until the gateway has sent it, and one
        that fails brings the money back to the wallet. Without an Idempotency-Key nothing is refunded.
        """
        payment, author = self._payment(public_id), cast(User, request.user)
        if not author.is_staff or not author.has_perm(MAY_REFUND):
            raise PermissionDenied
        key = self.require_key()
        body = NewRefundSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = dict(body.validated_data)
        amount = _amount(payment, sent.pop("amount", None))
        refund = refunds.issue(payment, amount=amount, author=author, idempotency_key=key, now=timezone.now(), **sent)
        return Response(RefundSerializer(refund).data, 201)

    def _payment(self, payment_id: str) -> Payment:
        """Return the payment with this id, public or its customer's own; raise Http404 if the caller may not see it."""
        caller, rows = cast(User, self.request.user), Payment.objects.select_related("customer")
        if caller.is_staff and (caller.has_perm(MAY_VIEW) or caller.has_perm(MAY_REFUND)):
            found = rows.filter(public_id=payment_id).first()
            if found is not None:
                return found
        return get_object_or_404(rows, payment_ids.matching(payment_id), customer=caller)


def _amount(payment: Payment, sent: SentAmount | None) -> int | None:
    """Return the amount in minor units of what was received; raise a ValidationError if its currency is another one."""
    if sent is None:
        return None
    currency = payment.received_currency or payment.currency
    if sent.currency not in (None, currency):
        text = _("The payment was received in %(currency)s. You sent %(sent)s.")
        detail: Any = ErrorDetail(text % {"currency": currency, "sent": sent.currency}, code="invalid")
        raise serializers.ValidationError({"amount": [detail]})
    return minor_units(sent, currency, param="amount")


@examples(subscription={"subscription": "sub_01m7y6kma9epbt0vbh6e2x8h1g"})
class CancelSubscriptionSerializer(StrictSerializer):
    """A subscription to cancel now."""

    subscription = TextField(max_length=40, help_text="Id of your subscription.")


class CardRefundsSerializer(serializers.Serializer):
    """What came back for unused time, and what of it goes to the card."""

    subscription = serializers.CharField()
    came_back = MoneySerializer(help_text="It pays the debt first.")
    to_card = MoneySerializer(help_text="The sum of the refunds. The rest is on the wallet.")
    refunds = RefundSerializer(many=True)


class CancelSubscription(Idempotent, GenericAPIView):
    """Cancel a subscription with its unused time refunded to the card."""

    serializer_class = CardRefundsSerializer
    queryset = Refund.objects.none()
    filter_backends = ()

    @extend_schema(
        operation_id="payments_cancel_subscription",
        request=CancelSubscriptionSerializer,
        responses={200: CardRefundsSerializer, **NOT_FOUND},
    )
    def post(self, request: Request) -> Response:
        """Cancel your subscription now and refund its unused time to the card, as far as your payments can take it.

        Its newest payments come first, then your others in the same currency. What none can take stays on the wallet.
        """
        body = CancelSubscriptionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = own_subscription(cast(User, request.user), body.validated_data["subscription"])
        done = cancellation_refunds.cancel(row, now=timezone.now())
        answer = {
            "subscription": row.public_id, "came_back": done.came_back, "to_card": done.to_card,
            "refunds": done.refunds,
        }  # fmt: skip
        return Response(CardRefundsSerializer(answer).data)

"""What can be asked of a payment by its id: confirm it, cancel it."""

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.idempotency import Idempotent
from accounts.api.named import named
from payments import cancellation, confirmation
from payments.api.requests import PaymentIdSerializer
from payments.api.serializers import PaymentSerializer
from payments.api.views.payments import OwnPayments
from payments.models import Payment


class OnePaymentNamed(Idempotent, OwnPayments):
    """A payment of the caller's own that the body names."""

    filter_backends = ()

    def named(self) -> Payment:
        """Return the payment; raise NotFound, which names the parameter."""
        body = PaymentIdSerializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        detail = _("You have no payment of this id; GET /api/payments/ lists yours.")
        return named(
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

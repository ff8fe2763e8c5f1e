"""Why a transaction of the caller's has its amount."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.strict import refuse_unknown_parameters
from ledger.models import Transaction
from subscriptions.api.explanations import Explained, ExplanationSerializer


class Explain(GenericAPIView):
    """GET transactions/txn_.../explain"""

    serializer_class = ExplanationSerializer
    filter_backends = ()
    queryset = Transaction.objects.none()

    @extend_schema(operation_id="transactions_explain")
    def get(self, request: Request, number: int) -> Response:
        """Work the amount out again now, and compare it with what was posted."""
        refuse_unknown_parameters(request, ())
        mine = Transaction.objects.filter(customer_id=request.user.pk, wallet__isnull=False)
        row = get_object_or_404(mine.select_related("debit", "credit"), pk=number)
        return Response(ExplanationSerializer(Explained(row)).data)

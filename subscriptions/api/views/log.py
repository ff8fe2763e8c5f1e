"""A customer's own log of transactions."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.strict import refuse_unknown_parameters
from ledger.api.pages import LogPages
from ledger.api.serializers import TransactionQuery
from ledger.models import Account, Transaction
from subscriptions.api.log import ChargedTransactionSerializer, written


class TransactionList(GenericAPIView):
    """Every movement of the caller's wallets: why, when, how much, for what, and the balance after it."""

    serializer_class = ChargedTransactionSerializer
    pagination_class = LogPages
    filter_backends = ()
    queryset = Transaction.objects.none()

    @extend_schema(
        operation_id="transactions_list",
        parameters=[TransactionQuery],
        responses=ChargedTransactionSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List the log, newest first."""
        query = TransactionQuery(data=request.query_params)
        refuse_unknown_parameters(request, query.fields)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        wallets = Account.objects.filter(owner_id=request.user.pk, kind=Account.Kind.WALLET)
        if "currency" in asked:
            wallets = wallets.filter(currency=asked["currency"])
        pages = LogPages()
        reasons = [asked["reason"]] if "reason" in asked else []
        ids = list(wallets.values_list("pk", flat=True))
        page = pages.page_of(ids, request, reasons=reasons, start=asked.get("from_"), end=asked.get("to_"))
        return pages.get_paginated_response(written(page))


class TransactionDetail(GenericAPIView):
    """One movement of the caller's wallets."""

    serializer_class = ChargedTransactionSerializer
    queryset = Transaction.objects.none()

    @extend_schema(operation_id="transactions_retrieve")
    def get(self, request: Request, number: int) -> Response:
        """Return one transaction."""
        refuse_unknown_parameters(request, ())
        mine = Transaction.objects.filter(customer_id=request.user.pk, wallet__isnull=False)
        return Response(written([get_object_or_404(mine, pk=number)])[0])

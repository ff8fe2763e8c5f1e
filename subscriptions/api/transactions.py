"""Pages of a customer's log: the wallets' statements merged, newest first, at the same cost however far back."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.filters import refuse_unknown_parameters
from core.api.pagination import CursorPages, InvalidCursor
from core.api.serializers import StrictSerializer
from ledger import statements
from ledger.api.serializers import MoneyField
from ledger.models import Account, Transaction
from ledger.money import EXPONENTS, Money
from subscriptions.explain.arithmetic import charges_of
from subscriptions.models import Charge


class TransactionSerializer(serializers.Serializer):
    """One line of a customer's log. `amount` is signed: what came in is above zero, what went out below."""

    id = serializers.SerializerMethodField()
    reason = serializers.ChoiceField(choices=Transaction.Reason.choices)
    amount = serializers.SerializerMethodField()
    balance = MoneyField(source="balance_after", help_text="What was in the wallet afterwards.")
    currency = serializers.CharField()
    description = serializers.CharField()
    effective_at = serializers.DateTimeField(help_text="When it was so by the rules.")
    created_at = serializers.DateTimeField(help_text="When it was written down.")

    def get_id(self, row: Transaction) -> str:
        """Return the public id."""
        return f"txn_{row.pk}"

    def get_amount(self, row: Transaction) -> str:
        """Return the amount as the wallet felt it."""
        return Money(-row.amount if row.debit_id == row.wallet_id else row.amount, row.currency).plain()


class TransactionQuery(StrictSerializer):
    """The filters of the log. `from` is included, `to` is not."""

    currency = serializers.ChoiceField(choices=sorted(EXPONENTS), required=False)
    reason = serializers.ChoiceField(choices=Transaction.Reason.choices, required=False)
    limit = serializers.CharField(required=False, help_text="1 to 100.")
    cursor = serializers.CharField(required=False, help_text="As given in `next` and `previous`.")

    def get_fields(self) -> dict[str, serializers.Field]:
        """Add the filter whose name Python keeps for itself, and its pair."""
        both = {name: serializers.DateTimeField(required=False, source=f"{name}_") for name in ("from", "to")}
        return {**super().get_fields(), **both}


ORDER = (F("effective_at"), F("id"))


class LogPages(CursorPages):
    """A cursor names a transaction; each wallet is asked only for what lies beyond it."""

    def page_of(self, wallet_ids: Sequence[int], request: Request, **filters: Any) -> list[Transaction]:
        """Return the page asked for. `filters` are those of ledger.statements. Raises InvalidCursor."""
        self.empty_detail = None
        self.base_url = request.build_absolute_uri()
        # As DRF itself makes it of the declared one.
        self.ordering = ("-id",)  # type: ignore[assignment]
        self.page_size = self.get_page_size(request)
        self.cursor = self.decode_cursor(request)
        back = self.cursor is not None and self.cursor.reverse
        edge = self._edge(wallet_ids)
        logs = (statements.transactions_of(each, **filters) for each in wallet_ids)
        found = [row for log in logs for row in self._beyond(log, edge, back=back)]
        found.sort(key=lambda row: (row.effective_at, row.pk), reverse=not back)
        more = len(found) > self.page_size
        self.page = sorted(found[: self.page_size], key=lambda row: (row.effective_at, row.pk), reverse=True)
        self.has_next, self.has_previous = (True, more) if back else (more, edge is not None)
        self.next_position = self.previous_position = str(edge.pk) if edge else None
        return self.page

    def _edge(self, wallet_ids: Sequence[int]) -> Transaction | None:
        """Return the transaction that the cursor names: one of the customer's own, or the cursor is not ours."""
        if self.cursor is None:
            return None
        edge = Transaction.objects.filter(wallet__in=wallet_ids, pk=int(self.cursor.position or 0)).first()
        if edge is None:
            raise InvalidCursor(_("This cursor was not given out here. Follow `next` or leave it out."))
        return edge

    def _beyond(self, log: QuerySet[Transaction], edge: Transaction | None, *, back: bool) -> QuerySet[Transaction]:
        if edge is not None:
            past = (TupleGreaterThan if back else TupleLessThan)(ORDER, (edge.effective_at, edge.pk))
            log = log.filter(past)
        order = ("effective_at", "id") if back else ("-effective_at", "-id")
        return log.order_by(*order)[: self.page_size + 1]


@extend_schema_serializer(component_name="Transaction")
class ChargedTransactionSerializer(TransactionSerializer):
    """One line of a customer's log. `amount` is signed: what came in is above zero, what went out below."""

    subscription = serializers.SerializerMethodField(
        help_text="Of a charge and of unused time given back; null for money in and out."
    )
    plan = serializers.SerializerMethodField(help_text="Its code, as it was then; null for money in and out.")

    def get_subscription(self, row: Transaction) -> str | None:
        """Return the public id."""
        charge = self._charge(row)
        return charge.subscription.public_id if charge else None

    def get_plan(self, row: Transaction) -> str | None:
        """Return the code of the plan it was charged under."""
        charge = self._charge(row)
        return charge.price.plan.code if charge else None

    def _charge(self, row: Transaction) -> Charge | None:
        charges: dict[int, Charge] = self.context["charges"]
        return charges.get(row.pk)


def written(rows: list[Transaction]) -> list[dict[str, Any]]:
    """Write lines of the log, their charges found in one query."""
    return list(ChargedTransactionSerializer(rows, many=True, context={"charges": charges_of(rows)}).data)


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

"""The list of a customer's transactions: all wallets merged, newest first, each page at the same cost."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import DayOrTimeField
from core.api.filters import refuse_unknown_parameters
from core.api.pagination import CursorPages, InvalidCursor
from core.api.serializers import StrictSerializer
from ledger import statements
from ledger.api.ids import IN_PATH
from ledger.api.serializers import PLAIN, MoneyField
from ledger.models import Account, Transaction
from ledger.money import EXPONENTS, Money
from payments import payment_ids
from subscriptions.explain.arithmetic import Subject, subjects_of


class TransactionSerializer(serializers.Serializer):
    """A transaction of a wallet. `amount` is signed: positive came in, negative went out."""

    id = serializers.SerializerMethodField()
    user = serializers.IntegerField(source="customer_id", help_text="The customer's `id`.")
    reason = serializers.ChoiceField(choices=Transaction.Reason.choices)
    amount = serializers.SerializerMethodField(help_text="Negative if it went out of the wallet.")
    balance = MoneyField(source="balance_after", help_text="The balance of the wallet after it.")
    currency = serializers.CharField()
    description = serializers.CharField()
    effective_at = serializers.DateTimeField(help_text="The time it takes effect by the billing rules.")
    created_at = serializers.DateTimeField(help_text="When it was recorded.")

    def get_id(self, row: Transaction) -> str:
        """Return the public id."""
        return f"txn_{row.pk}"

    @extend_schema_field({"type": "string", "pattern": PLAIN, "examples": ["-99.50"]})
    def get_amount(self, row: Transaction) -> str:
        """Return the amount, negative if it went out of the wallet."""
        return Money(-row.amount if row.debit_id == row.wallet_id else row.amount, row.currency).plain()


class TransactionQuery(StrictSerializer):
    """Filters of the list. `from` is inclusive, `to` is exclusive; a day stands for the whole of it."""

    currency = serializers.ChoiceField(choices=sorted(EXPONENTS), required=False)
    reason = serializers.ChoiceField(choices=Transaction.Reason.choices, required=False)
    limit = serializers.CharField(required=False, help_text="1 to 100.")
    cursor = serializers.CharField(required=False, help_text="From `next` or `previous`.")

    def get_fields(self) -> dict[str, serializers.Field]:
        """Add `from` and `to`: `from` is a Python keyword, so it cannot be declared above."""
        times = {
            name: DayOrTimeField(required=False, source=f"{name}_", is_end=name == "to", help_text="A day or a time.")
            for name in ("from", "to")
        }
        return {**super().get_fields(), **times}


# The order of the list, in both directions.
ORDER = (F("effective_at"), F("id"))


class LogPages(CursorPages):
    """Pages of the list. A cursor names a transaction; each wallet is queried only for those beyond it."""

    def page_of(self, wallet_ids: Sequence[int], request: Request, **filters: Any) -> list[Transaction]:
        """Return the requested page. `filters` are those of ledger.statements. Raises InvalidCursor."""
        self.empty_detail = None
        self.base_url = request.build_absolute_uri()
        # DRF turns the declared ordering into a tuple itself, in a method that is not called here.
        self.ordering = ("-id",)  # type: ignore[assignment]
        self.page_size = self.get_page_size(request)
        self.cursor = self.decode_cursor(request)
        back = self.cursor is not None and self.cursor.reverse
        edge = self._edge(wallet_ids)
        logs = (statements.transactions_of(each, **filters) for each in wallet_ids)
        rows = [row for log in logs for row in self._beyond(log, edge, back=back)]
        rows.sort(key=lambda row: (row.effective_at, row.pk), reverse=not back)
        more = len(rows) > self.page_size
        self.page = sorted(rows[: self.page_size], key=lambda row: (row.effective_at, row.pk), reverse=True)
        self.has_next, self.has_previous = (True, more) if back else (more, edge is not None)
        self.next_position = self.previous_position = str(edge.pk) if edge else None
        return self.page

    def _edge(self, wallet_ids: Sequence[int]) -> Transaction | None:
        """Return the transaction that the cursor names; raise InvalidCursor if it is not in one of the wallets."""
        if self.cursor is None:
            return None
        edge = Transaction.objects.filter(wallet__in=wallet_ids, pk=int(self.cursor.position or 0)).first()
        if edge is None:
            raise InvalidCursor(_("This cursor is invalid. Use the link in `next`, or omit it."))
        return edge

    def _beyond(self, log: QuerySet[Transaction], edge: Transaction | None, *, back: bool) -> QuerySet[Transaction]:
        """Return the transactions after `edge` in the list, or before it if `back`, one more than fits on the page."""
        if edge is not None:
            is_beyond = (TupleGreaterThan if back else TupleLessThan)(ORDER, (edge.effective_at, edge.pk))
            log = log.filter(is_beyond)
        order = ("effective_at", "id") if back else ("-effective_at", "-id")
        return log.order_by(*order)[: self.page_size + 1]


@extend_schema_serializer(component_name="Transaction")
class ChargedTransactionSerializer(TransactionSerializer):
    """A transaction of a wallet. `amount` is signed: positive came in, negative went out."""

    subscription = serializers.SerializerMethodField(
        help_text="For a charge or a refund of unused time; null for money in and out and a debt that is paid."
    )
    payment = serializers.SerializerMethodField(
        help_text="For money of a payment: what it brought, its refunds and its disputes, and a debt that it paid."
    )
    plan = serializers.SerializerMethodField(help_text="Code of the plan at that time; null where `subscription` is.")

    def get_subscription(self, row: Transaction) -> str | None:
        """Return the public id of the subscription."""
        subject = self._subject(row)
        return subject.subscription if subject else None

    def get_plan(self, row: Transaction) -> str | None:
        """Return the code of the plan it was charged under."""
        subject = self._subject(row)
        return subject.plan if subject else None

    def get_payment(self, row: Transaction) -> str | None:
        """Return the id by which the API calls the payment."""
        payments: dict[int, str] = self.context["payments"]
        return payments.get(row.pk)

    def _subject(self, row: Transaction) -> Subject | None:
        subjects: dict[int, Subject] = self.context["subjects"]
        return subjects.get(row.pk)


def serialize(rows: list[Transaction]) -> list[dict[str, Any]]:
    """Return transactions as response data; a few queries say what all of them were for."""
    context = {"subjects": subjects_of(rows), "payments": payment_ids.of_transactions(rows)}
    return list(ChargedTransactionSerializer(rows, many=True, context=context).data)


class TransactionList(GenericAPIView):
    """The transactions of the caller's wallets: why, when, how much, for what, and the balance after each."""

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
        """List the transactions, newest first."""
        query = TransactionQuery(data=request.query_params)
        refuse_unknown_parameters(request, query.fields)
        query.is_valid(raise_exception=True)
        terms = query.validated_data
        wallets = Account.objects.filter(owner_id=request.user.pk, kind=Account.Kind.WALLET)
        if "currency" in terms:
            wallets = wallets.filter(currency=terms["currency"])
        pages = LogPages()
        reasons = [terms["reason"]] if "reason" in terms else []
        ids = list(wallets.values_list("pk", flat=True))
        page = pages.page_of(ids, request, reasons=reasons, start=terms.get("from_"), end=terms.get("to_"))
        return pages.get_paginated_response(serialize(page))


class TransactionDetail(GenericAPIView):
    """One transaction of the caller's wallets."""

    serializer_class = ChargedTransactionSerializer
    queryset = Transaction.objects.none()

    @extend_schema(operation_id="transactions_retrieve", parameters=[IN_PATH])
    def get(self, request: Request, transaction_id: int) -> Response:
        """Return one transaction."""
        refuse_unknown_parameters(request, ())
        own = Transaction.objects.filter(customer_id=request.user.pk, wallet__isnull=False)
        return Response(serialize([get_object_or_404(own, pk=transaction_id)])[0])

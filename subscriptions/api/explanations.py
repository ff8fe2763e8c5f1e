"""How the explanation of a transaction is written in answers."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.filters import refuse_unknown_parameters
from ledger.api.serializers import MoneySerializer
from ledger.models import Transaction
from ledger.money import Money
from subscriptions.api.serializers import PeriodSerializer, PriceSerializer
from subscriptions.explain import arithmetic, sentences
from subscriptions.explain.arithmetic import Explanation

KINDS = [
    ("period", "paid ahead"),
    ("slice", "metered use"),
    ("leftover", "fractions of earlier metered use that came to a whole minor unit"),
    ("unused", "unused time given back"),
    ("movement", "money in or out that no price worked out"),
]


class RemainderSerializer(serializers.Serializer):
    """The fraction of a minor unit that was carried in and out: a whole number of `denominator`-ths."""

    before = serializers.IntegerField()
    after = serializers.IntegerField()
    denominator = serializers.IntegerField()


class ExplanationSerializer(serializers.Serializer):
    """Why a transaction has its amount. What a `movement` does not have is null."""

    transaction = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    reason = serializers.ChoiceField(choices=Transaction.Reason.choices)
    subscription = serializers.CharField(source="of.subscription.public_id", default=None, allow_null=True)
    plan = serializers.CharField(source="of.price.plan.code", default=None, allow_null=True)
    price = PriceSerializer(source="of.price", default=None, allow_null=True, help_text="The version it was under.")
    quantity = serializers.IntegerField(source="of.quantity", default=None, allow_null=True)
    periods = serializers.IntegerField(source="of.periods", default=None, allow_null=True)
    span = PeriodSerializer(allow_null=True, help_text="What it was charged or given back for.")
    formula = serializers.CharField(
        source="of.formula", default=None, allow_null=True, help_text="In minor units and microseconds."
    )
    worked_out = MoneySerializer(allow_null=True, help_text="From the formula, just now.")
    posted = MoneySerializer(help_text="What the transaction moved, without a sign.")
    match = serializers.BooleanField(source="of.matches", default=None, allow_null=True)
    remainder = RemainderSerializer(allow_null=True, help_text="Metered use only.")
    counterpart = serializers.CharField(allow_null=True, help_text="Of a movement: where it came from or went to.")
    steps = serializers.ListField(child=serializers.CharField(), help_text="The same in short sentences.")


class Explained:
    """A transaction with its explanation, if it has one."""

    def __init__(self, row: Transaction) -> None:
        self.of: Explanation | None = arithmetic.explain(row)
        self.transaction, self.reason = f"txn_{row.pk}", row.reason
        self.posted = Money(row.amount, row.currency)
        self.kind = self.of.kind if self.of else "movement"
        self.steps = sentences.of(self.of) if self.of else sentences.of_movement(row)
        self.counterpart = None if self.of else sentences.other_side(row)

    @property
    def span(self) -> dict[str, Any] | None:
        return {"start": self.of.span_start, "end": self.of.span_end} if self.of else None

    @property
    def worked_out(self) -> Money | None:
        return Money(self.of.worked_out, self.posted.currency) if self.of else None

    @property
    def remainder(self) -> dict[str, Any] | None:
        """The fractions, where there are any to carry."""
        if self.of is None or self.of.rate_length is None:
            return None
        before, after = self.of.remainder_before, self.of.remainder_after
        return {"before": before, "after": after, "denominator": self.of.rate_length}


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

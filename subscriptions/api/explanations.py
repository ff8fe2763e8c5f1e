"""The endpoint that explains a transaction: how its amount was calculated, and whether it matches."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.filters import refuse_unknown_parameters
from ledger.api.ids import IN_PATH
from ledger.api.serializers import MoneySerializer
from ledger.models import Transaction
from ledger.money import Money
from subscriptions.api.serializers import PeriodSerializer, PriceSerializer
from subscriptions.explain import arithmetic, sentences
from subscriptions.explain.arithmetic import Explanation

KINDS = [
    ("period", "paid in advance"),
    ("slice", "metered use"),
    ("difference", "a larger quantity within a paid period"),
    ("grace", "days of grace that no payment followed"),
    ("unused", "refund for unused time"),
    ("movement", "money in or out that does not come from a price"),
]


class CreditSerializer(serializers.Serializer):
    """What was left of the last minor unit paid, before and after: `before` and `after` over `denominator`."""

    before = serializers.IntegerField()
    after = serializers.IntegerField()
    denominator = serializers.IntegerField()


class ExplanationSerializer(serializers.Serializer):
    """How the amount of a transaction was calculated. Fields that a `movement` does not have are null."""

    transaction = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    reason = serializers.ChoiceField(choices=Transaction.Reason.choices)
    subscription = serializers.CharField(source="explanation.subscription.public_id", default=None, allow_null=True)
    plan = serializers.CharField(source="explanation.price.plan.code", default=None, allow_null=True)
    price = PriceSerializer(
        source="explanation.price", default=None, allow_null=True, help_text="The version that applied."
    )
    quantity = serializers.IntegerField(source="explanation.quantity", default=None, allow_null=True)
    previous_quantity = serializers.IntegerField(
        source="explanation.previous_quantity", default=None, allow_null=True,
        help_text="The quantity before, if the amount is for a change of it.",
    )  # fmt: skip
    periods = serializers.IntegerField(source="explanation.periods", default=None, allow_null=True)
    span = PeriodSerializer(allow_null=True, help_text="The time that was charged or refunded.")
    formula = serializers.CharField(
        source="explanation.formula", default=None, allow_null=True, help_text="In minor units and microseconds."
    )
    worked_out = MoneySerializer(allow_null=True, help_text="The result of the formula, calculated now.")
    posted = MoneySerializer(help_text="Amount of the transaction, unsigned; for `grace`, all that was charged.")
    debt = MoneySerializer(
        allow_null=True, help_text="`grace` only: the part of `posted` that the balance could not pay, a debt."
    )
    match = serializers.BooleanField(source="explanation.matches", default=None, allow_null=True)
    credit = CreditSerializer(allow_null=True, help_text="Metered use only.")
    counterpart = serializers.CharField(allow_null=True, help_text="For a movement: where it came from or went to.")
    steps = serializers.ListField(child=serializers.CharField(), help_text="The calculation in short sentences.")


class ExplainedTransaction:
    """A transaction with its explanation; `explanation` is None if no price produced its amount."""

    def __init__(self, row: Transaction) -> None:
        self.explanation: Explanation | None = arithmetic.explain(row)
        self.transaction, self.reason = f"txn_{row.pk}", row.reason
        self.posted = Money(self.explanation.posted if self.explanation else row.amount, row.currency)
        self.kind = self.explanation.kind if self.explanation else "movement"
        self.steps = sentences.of(self.explanation) if self.explanation else sentences.of_movement(row)
        self.counterpart = None if self.explanation else sentences.other_side(row)

    @property
    def span(self) -> dict[str, Any] | None:
        return {"start": self.explanation.span_start, "end": self.explanation.span_end} if self.explanation else None

    @property
    def worked_out(self) -> Money | None:
        return Money(self.explanation.worked_out, self.posted.currency) if self.explanation else None

    @property
    def debt(self) -> Money | None:
        """The part that became a debt; None except for grace."""
        if self.explanation is None or self.explanation.kind != "grace":
            return None
        return Money(self.explanation.debt, self.posted.currency)

    @property
    def credit(self) -> dict[str, Any] | None:
        """What was left of the last minor unit paid; None except for metered use."""
        if self.explanation is None or self.explanation.rate_length is None:
            return None
        before, after = self.explanation.credit_before, self.explanation.credit_after
        return {"before": before, "after": after, "denominator": self.explanation.rate_length}


class Explain(GenericAPIView):
    """GET transactions/txn_.../explain"""

    serializer_class = ExplanationSerializer
    filter_backends = ()
    queryset = Transaction.objects.none()

    @extend_schema(operation_id="transactions_explain", parameters=[IN_PATH])
    def get(self, request: Request, transaction_id: int) -> Response:
        """Calculate the amount again and compare it with the posted one."""
        refuse_unknown_parameters(request, ())
        row = get_object_or_404(arithmetic.explainable(request.user.pk), pk=transaction_id)  # type: ignore[arg-type]
        return Response(ExplanationSerializer(ExplainedTransaction(row)).data)

"""How a line of the log is written in answers: the ledger's, and what a charge was for."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from ledger.api.serializers import TransactionSerializer
from ledger.models import Transaction
from subscriptions.charged import charges_of
from subscriptions.models import Charge


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

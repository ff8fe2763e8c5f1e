"""How money and transactions are written in answers: decimal strings, exact, each with its currency."""

from rest_framework import serializers

from accounts.api.strict import StrictSerializer
from ledger.api.fields import MoneyField
from ledger.models import Transaction
from ledger.money import EXPONENTS, Money


class MoneySerializer(serializers.Serializer):
    """`{"value": "1342.00", "currency": "RUB"}`, made from a Money."""

    value = serializers.CharField(source="plain", help_text="Decimal string with the currency's own decimals.")
    currency = serializers.CharField(help_text="ISO 4217.")


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

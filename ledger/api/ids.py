"""Ids of transactions in the API: `txn_` and the number of the row, in answers and in addresses."""

from django.urls import register_converter
from drf_spectacular.utils import OpenApiParameter


class TransactionIdConverter:
    """Reads `txn_42` in a path as 42."""

    regex = "txn_[0-9]+"

    def to_python(self, value: str) -> int:
        """Return the number; raise ValueError for one that no row can have."""
        return int(value.removeprefix("txn_"))

    def to_url(self, value: int) -> str:
        """Return the id of the transaction with this number."""
        return f"txn_{value}"


register_converter(TransactionIdConverter, "txn")
IN_PATH = OpenApiParameter(
    "transaction_id",
    {"type": "string", "pattern": f"^{TransactionIdConverter.regex}$", "examples": ["txn_42"]},
    OpenApiParameter.PATH,
)

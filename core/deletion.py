"""Delete many rows in short transactions."""

from typing import Any

from django.db.models import QuerySet

# Rows that one statement deletes, so that none takes long.
BATCH = 5_000


def delete(rows: QuerySet[Any]) -> int:
    """Delete the rows in batches, each in a transaction of its own; return how many."""
    total = 0
    while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        # The filter is repeated: a row may have changed meanwhile, such as an event that is replayed.
        rows.filter(pk__in=pks).delete()
        total += len(pks)
    return total

"""Why each collection was or was not tried: one line for staff, written when the answer changes."""

from datetime import datetime

from payments.models import Collection, CollectionDecision, CollectionPlan


def record(
    plan: CollectionPlan, outcome: str, line: str, *, now: datetime, collection: Collection | None = None
) -> None:
    """Write a line for a wallet, unless it is the same as the last one."""
    last = CollectionDecision.objects.filter(wallet_id=plan.wallet_id).order_by("-id").first()
    same = last is not None and (last.outcome, last.line, last.collection_id) == (
        outcome, line[:300], collection.pk if collection else None,
    )  # fmt: skip
    if not same:
        CollectionDecision.objects.create(
            customer_id=plan.customer_id, wallet_id=plan.wallet_id, collection=collection, outcome=outcome,
            line=line[:300], at=now,
        )  # fmt: skip

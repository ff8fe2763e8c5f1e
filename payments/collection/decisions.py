"""Why each collection was or was not tried: one line for staff, written when the answer changes."""

from datetime import datetime

from payments.models import Collection, CollectionDecision, CollectionPlan


def record(
    plan: CollectionPlan,
    outcome: str,
    line: str,
    *,
    now: datetime,
    collection: Collection | None = None,
    gist: str = "",
) -> None:
    """Write a line for a wallet, unless it is the same as the last one.

    With `gist`, a part of the line, it is also the same if only the rest of it differs: where meters run, the balance
    is another one each hour, and there would be a line each hour.
    """
    last = CollectionDecision.objects.filter(wallet_id=plan.wallet_id).order_by("-id").first()
    about = (outcome, collection.pk if collection else None)
    is_same = last is not None and (last.outcome, last.collection_id) == about
    if last is None or not is_same or (last.line != line[:300] and not (gist and gist in last.line)):
        CollectionDecision.objects.create(
            customer_id=plan.customer_id, wallet_id=plan.wallet_id, collection=collection, outcome=outcome,
            line=line[:300], at=now,
        )  # fmt: skip

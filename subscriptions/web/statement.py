"""The log of a wallet with its charges named: the ledger knows that money moved, the plans know for what."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from django.db.models import Q
from django.utils.translation import gettext as _

from ledger import display
from ledger.models import Transaction
from ledger.web.log import Line, lines
from subscriptions.models import Charge

CHUNK = 500


def named(rows: Iterable[Transaction]) -> Iterator[Line]:
    """Read transactions as lines; a charge and what was given back of it say which plan and which span."""
    walk = iter(rows)
    while chunk := list(islice(walk, CHUNK)):
        charges = _charges(chunk)
        for line in lines(chunk):
            charge = charges.get(line.id)
            yield (
                line
                if charge is None
                else replace(line, description=_words(charge), about=charge.subscription.public_id)
            )


def _charges(rows: list[Transaction]) -> dict[int | None, Charge]:
    ids = [row.pk for row in rows if row.reason in (Transaction.Reason.CHARGE, Transaction.Reason.UNUSED_REFUND)]
    found = Charge.objects.filter(Q(transaction__in=ids) | Q(refund__in=ids)).select_related(
        "price__plan", "subscription"
    )
    both = {pk: charge for charge in found for pk in (charge.transaction_id, charge.refund_id) if pk}
    return {pk: charge for pk, charge in both.items() if pk in set(ids)}


def _words(charge: Charge) -> str:
    """Name the plan, and for paid-ahead periods the days it was paid for."""
    plan = charge.price.plan.title
    if charge.price.metered:
        return plan
    start, end = display.day(charge.period_start), display.day(charge.period_end)
    return _("%(plan)s, %(start)s to %(end)s") % {"plan": plan, "start": start, "end": end}

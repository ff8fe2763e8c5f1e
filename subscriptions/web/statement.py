"""The log of a wallet with its charges named: the ledger knows that money moved, the plans know for what."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from django.utils.translation import gettext as _

from ledger import display
from ledger.models import Transaction
from ledger.web.log import Line, lines
from subscriptions.charged import charges_of
from subscriptions.models import Charge

CHUNK = 500


def named(rows: Iterable[Transaction]) -> Iterator[Line]:
    """Read transactions as lines; a charge and what was given back of it say which plan and which span."""
    walk = iter(rows)
    while chunk := list(islice(walk, CHUNK)):
        charges = charges_of(chunk)
        for line in lines(chunk):
            charge = charges.get(line.id)
            yield (
                line
                if charge is None
                else replace(line, description=_words(charge), about=charge.subscription.public_id)
            )


def _words(charge: Charge) -> str:
    """Name the plan, and for paid-ahead periods the days it was paid for."""
    plan = charge.price.plan.title
    if charge.price.metered:
        return plan
    start, end = display.day(charge.period_start), display.day(charge.period_end)
    return _("%(plan)s, %(start)s to %(end)s") % {"plan": plan, "start": start, "end": end}

"""What a payment is for, in words: the plan or "Top-up" in the reader's language, or the customer's own description."""

from functools import cache

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from payments.models import Payment
from subscriptions.models import Plan


def name_of(payment: Payment) -> str:
    """Return the plan's title or "Top-up" in the reader's language; a description by the customer stays as it is."""
    if described := own_description(payment):
        return described
    plan = _plan(payment)
    if plan is not None and payment.is_for_change:
        quantity = payment.purpose.rpartition(":")[2]
        if quantity:
            return f"{quantity} × {plan.title}"
        return _("Change to %(plan)s") % {"plan": plan.title}
    return _("Top-up") if plan is None else plan.title


def own_description(payment: Payment) -> str:
    """Return the description that the customer typed; an empty string if ours stands there, in whatever language."""
    plan = _plan(payment)
    ours = _top_ups() if plan is None else {plan.name, plan.name_ru}
    return "" if payment.description in ours else payment.description


def _plan(payment: Payment) -> Plan | None:
    return payment.plan or (payment.subscription.price.plan if payment.subscription else None)


@cache
def _top_ups() -> frozenset[str]:
    """Return the word for a top-up in each language."""
    names = set()
    for language, _name in settings.LANGUAGES:
        with override(language):
            names.add(_("Top-up"))
    return frozenset(names)

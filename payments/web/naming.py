"""What a payment is for, in the reader's language: it was written down in that of whoever began it."""

from functools import cache

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from payments.models import Payment
from subscriptions.models import Plan


def name_of(payment: Payment) -> str:
    """Name the plan, or a top-up; words of the customer's own stay as they are."""
    plan = payment.plan or (payment.subscription.price.plan if payment.subscription else None)
    if plan is not None and payment.description in _names(plan):
        return plan.title
    return _("Top-up") if payment.description in _top_ups() else payment.description


def _names(plan: Plan) -> set[str]:
    return {plan.name, plan.name_ru}


@cache
def _top_ups() -> frozenset[str]:
    """What a top-up is called in each language."""
    names = set()
    for language, _name in settings.LANGUAGES:
        with override(language):
            names.add(_("Top-up"))
    return frozenset(names)

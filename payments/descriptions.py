"""What a payment is for, in words: the plan or "Top-up" in the reader's language, or the customer's own description."""

from django.utils.translation import gettext as _

from payments.models import Payment


def name_of(payment: Payment) -> str:
    """Return the plan's title or "Top-up" in the reader's language; a description by the customer stays as it is."""
    if described := payment.own_description:
        return described
    plan = payment.plan_sold
    if plan is not None and payment.is_for_change:
        quantity = payment.purpose.rpartition(":")[2]
        if quantity:
            return f"{quantity} × {plan.title}"
        return _("Change to %(plan)s") % {"plan": plan.title}
    return _("Top-up") if plan is None else plan.title

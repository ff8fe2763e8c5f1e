"""What pages and mails say of the change that a payment is for: to come, made, or not possible any more."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments import paid_changes
from payments.models import PaidChange

REASONS: dict[str, str | Promise] = {
    paid_changes.OTHER_AMOUNT: gettext_lazy("Another amount arrived than was asked for."),
    paid_changes.TOO_LATE: gettext_lazy("The payment had been given up before it arrived."),
    paid_changes.CHANGED_MEANWHILE: gettext_lazy("The subscription was changed in another way in the meantime."),
    paid_changes.PRICE_CHANGED: gettext_lazy("The price has changed in the meantime."),
    "insufficient_funds": gettext_lazy("The balance was not enough any more when the payment arrived."),
}


def step(change: PaidChange, *, has_failed: bool) -> str:
    """Return the text of the step after the payment."""
    is_quantity = change.quantity is not None
    if change.made_at is not None:
        return _("Quantity changed") if is_quantity else _("Plan changed")
    if has_failed or change.refusal:
        return _("Quantity not changed") if is_quantity else _("Plan not changed")
    return _("Change of the quantity") if is_quantity else _("Change of the plan")


def reason(change: PaidChange) -> str:
    """Return why the change was not made, empty if it was or is still to come."""
    if not change.refusal:
        return ""
    return str(REASONS.get(change.refusal, _("The change was not possible any more.")))

"""Refusals of operations on a customer's book: the error, the text of each, and the limits of what can be ordered."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError
from ledger.money import Money
from subscriptions.engine.calendar import MOST_YEARS, is_within_years
from subscriptions.engine.refusals import Refusal
from subscriptions.engine.subscription import MOST_DUE, MOST_PERIODS, MOST_QUANTITY
from subscriptions.models import Price

# The code of a refusal because money is missing.
INSUFFICIENT_FUNDS = str(Refusal.INSUFFICIENT_FUNDS)
# The code of a refusal because the account is closed.
BLOCKED = str(Refusal.BLOCKED)

DETAILS: dict[str, str | Promise] = {
    Refusal.FINAL: gettext_lazy("The subscription has ended. Create a new one."),
    Refusal.PAUSED: gettext_lazy("The subscription is paused. Resume it first."),
    Refusal.NOT_ACTIVE: gettext_lazy("Only an active subscription can be paused."),
    Refusal.NOT_PAUSED: gettext_lazy("Only a paused subscription can be resumed."),
    Refusal.NO_CANCEL_TO_UNDO: gettext_lazy(
        "There is no cancellation to undo: the subscription was not cancelled, or it has already ended."
    ),
    Refusal.NOT_WAITING: gettext_lazy("Only a pending or suspended subscription can be started."),
    Refusal.INSUFFICIENT_FUNDS: gettext_lazy(
        "There is not enough money on the balance. Top up first. Nothing was changed."
    ),
    Refusal.NO_PAUSE: gettext_lazy("This plan cannot be paused."),
    Refusal.NO_REFUND: gettext_lazy(
        "This plan does not refund unused time. Cancel it at the period's end, or now without a refund."
    ),
    Refusal.TRIAL_QUANTITY: gettext_lazy(
        "A trial is not given for this quantity. Choose a smaller one, or change it after the trial."
    ),
    Refusal.NOTHING_TO_EXTEND: gettext_lazy(
        "There is nothing to extend: no paid period, no trial and no days of grace are running."
    ),
    Refusal.GRACE_TOO_LONG: gettext_lazy(
        "Days of grace cannot last longer than the period that is not paid. Give fewer days."
    ),
    Refusal.OUT_OF_RANGE: gettext_lazy("The quantity or the amount is too large."),
    Refusal.BLOCKED: gettext_lazy("The account is closed. Contact support."),
    Refusal.MORE_THAN_DEBT: gettext_lazy("The debt is smaller than that. Nothing was changed."),
}


class Refused(DomainError):
    """An operation was refused and changed nothing. `code` is an engine.operations.Refusal or names a bad value."""

    def __init__(self, code: str, detail: str, *, param: str | None = None, **extra: Any) -> None:
        super().__init__(detail, param=param, **extra)
        self.code = code


def refused(refusal: Refusal) -> Refused:
    """Return the error of a refusal by the engine, with its text."""
    return Refused(refusal, str(DETAILS[refusal]))


def insufficient_funds(missing: Money | None = None) -> Refused:
    """Return the refusal of a start that the wallet cannot fund, with the amount that is missing if it is known."""
    if missing is None:
        return refused(Refusal.INSUFFICIENT_FUNDS)
    detail = _("You need %s more on the balance. Top up first. Nothing was changed.") % missing
    return Refused(Refusal.INSUFFICIENT_FUNDS, detail, missing={"value": missing.plain(), "currency": missing.currency})


def check_limits(price: Price, quantity: int, periods: int, *, at: int) -> None:
    """Raise Refused for a quantity, periods or an amount beyond the limits."""
    if not 1 <= quantity <= MOST_QUANTITY:
        raise _beyond("quantity", MOST_QUANTITY, quantity)
    if not 1 <= periods <= MOST_PERIODS:
        raise _beyond("periods", MOST_PERIODS, periods)
    if price.metered:
        return
    if not is_within_years(price.interval, price.interval_count * periods, at):
        raise Refused("out_of_range", _("One payment covers at most %d years.") % MOST_YEARS, param="periods")
    if price.amount * quantity * periods > MOST_DUE:
        detail = _("The price times quantity and periods must be at most %s.") % Money(MOST_DUE, price.currency)
        raise Refused("out_of_range", detail, param="quantity")


def _beyond(name: str, most: int, sent: int) -> Refused:
    said = _("%(name)s must be from 1 to %(most)d. You sent %(sent)d.") % {"name": name, "most": most, "sent": sent}
    return Refused("out_of_range", said, param=name)

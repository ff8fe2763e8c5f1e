"""What staff are told where customers are told what to do: nobody at the desk can top up or contact support."""

from django.utils.translation import gettext

from core.errors import DomainError
from ledger.display import money
from ledger.money import Money
from subscriptions.refusals import BLOCKED, INSUFFICIENT_FUNDS, Refused


def for_staff(error: DomainError) -> DomainError:
    """Return a refusal in words for staff; any other error as it is."""
    if error.code == BLOCKED:
        return Refused(error.code, gettext("The account is closed. Open it first."))
    if error.code != INSUFFICIENT_FUNDS:
        return error
    missing = error.extra.get("missing")
    if not missing:
        return Refused(error.code, gettext("The customer's balance is not enough. Nothing was changed."))
    amount = money(Money.parse(missing["value"], missing["currency"]))
    said = gettext("The customer's balance is not enough: %s more is needed. Nothing was changed.")
    return Refused(error.code, said % amount)

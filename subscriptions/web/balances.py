"""What a signed-in customer has to spend, for the head of every page."""

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from ledger.money import Money
from subscriptions import overview

# So many fit in the head of a page.
MOST = 2


def in_head(request: HttpRequest) -> dict[str, object]:
    """Return the template variable `balances`, which is read when a template first uses it, in one statement."""
    user = getattr(request, "user", None)

    def read() -> list[Money]:
        views = overview.of(user, now=timezone.now()).views if isinstance(user, User) else []
        return shown([each.spendable for each in views])

    return {"balances": SimpleLazyObject(read)}


def shown(available: list[Money]) -> list[Money]:
    """Leave out empty balances beside others, and all if there are too many."""
    filled = [each for each in available if each.amount] or available[:1]
    return filled if len(filled) <= MOST else []

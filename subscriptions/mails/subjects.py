"""What mails say about the subscriptions that their events concern, and about other events beside theirs."""

from collections.abc import Collection, Iterable, Sequence

from django.utils.translation import gettext as _

from core import links
from events.mails.notice import MOST
from events.models import Event
from ledger import display
from ledger.money import Money
from subscriptions import overview
from subscriptions.models import Subscription
from subscriptions.overview import SubscriptionState


def of(events: Sequence[Event]) -> list[Subscription]:
    """Return the subscriptions of the events, oldest first, each once."""
    rows = Subscription.objects.filter(public_id__in={event.subject for event in events})
    return list(rows.select_related("price__plan", "wallet").order_by("pk"))


def has_beside(event: Event, types: Collection[str]) -> bool:
    """Return whether the transaction that recorded the event has recorded one of these types for the customer too."""
    beside = Event.objects.filter(transaction_number=event.transaction_number, customer=event.customer_id)
    return beside.filter(type__in=types).exists()


def name(state: SubscriptionState) -> str:
    """Return the plan with its quantity: `Team`, `Team × 3`."""
    return named(state.price.plan.title, state.quantity)


def named(title: str, quantity: int) -> str:
    """Return a plan's title with the quantity, if that is not one."""
    return title if quantity == 1 else f"{title} × {quantity}"


def shortened(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the first ten rows of a long table, and a last one that says how many more there are."""
    rest = len(rows) - MOST
    return list(rows) if rest <= 0 else [*rows[:MOST], (_("and %(count)d more") % {"count": rest}, "")]


def total(amounts: Iterable[Money]) -> str:
    """Return the sum of amounts, each currency apart: `€25.00`, `€25.00 + ₽990.00`."""
    sums: dict[str, int] = {}
    for each in amounts:
        sums[each.currency] = sums.get(each.currency, 0) + each.amount
    return " + ".join(display.money(Money(amount, currency)) for currency, amount in sorted(sums.items()))


def balances(view: overview.CustomerOverview, currencies: Collection[str]) -> list[tuple[str, str]]:
    """Return a row for the balance of each of these currencies, and for its debt if there is one."""
    rows = []
    for book in view.views:
        if book.currency in currencies:
            rows.append((_("Balance"), display.money(Money(book.available, book.currency))))
            if book.debt:
                rows.append((_("Debt"), display.money(Money(book.debt, book.currency))))
    return rows


def page(rows: Sequence[Subscription]) -> str:
    """Return the link to the page of the subscription, or to the account if they are several."""
    return links.absolute("subscription", rows[0].public_id) if len(rows) == 1 else links.absolute("account")

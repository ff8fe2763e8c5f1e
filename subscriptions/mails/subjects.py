"""What mails say about the subscriptions and balances that their events concern, and where their buttons lead."""

from collections.abc import Collection, Iterable, Sequence

from django.utils.translation import gettext as _

from core import links
from events.models import Event
from ledger import display
from ledger.money import Money
from subscriptions import dues, labels, overview
from subscriptions.models import Price, Subscription
from subscriptions.overview import SubscriptionState

# Of a long table a mail shows so many rows.
MOST = 10


def of(events: Sequence[Event]) -> list[Subscription]:
    """Return the subscriptions of the events, oldest first, each once."""
    return find({event.subject for event in events})


def find(public_ids: Collection[str]) -> list[Subscription]:
    """Return these subscriptions, oldest first."""
    found = Subscription.objects.filter(public_id__in=public_ids)
    return list(found.select_related("price__plan", "wallet").order_by("pk"))


def has_beside(event: Event, types: Collection[str]) -> bool:
    """Return whether the transaction that recorded the event has recorded one of these types for the customer too."""
    beside = Event.objects.filter(transaction_number=event.transaction_number, customer=event.customer_id)
    return beside.filter(type__in=types).exists()


def name(each: SubscriptionState | Subscription) -> str:
    """Return the plan with its quantity: `Team`, `Team × 3`."""
    return named(each.price.plan.title, each.quantity)


def named(title: str, quantity: int) -> str:
    """Return a plan's title with the quantity, if that is not one."""
    return title if quantity == 1 else f"{title} × {quantity}"


def priced(price: Price, quantity: int, periods: int = 1) -> str:
    """Return what so many of the plan cost for one payment: `€29.00 a month`."""
    amount = Money(price.amount * quantity * periods, price.currency)
    return f"{display.money(amount)} {labels.every(price, periods)}"


def shortened(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the first rows of a long table, and a last one that says how many more there are."""
    rest = len(rows) - MOST
    return list(rows) if rest <= 0 else [*rows[:MOST], (_("and %(count)d more") % {"count": rest}, "")]


def total(amounts: Iterable[Money]) -> str:
    """Return the sum of amounts, each currency apart: `€25.00`, `€25.00 + ₽990.00`."""
    sums: dict[str, int] = {}
    for each in amounts:
        sums[each.currency] = sums.get(each.currency, 0) + each.amount
    return " + ".join(display.money(Money(amount, currency)) for currency, amount in sorted(sums.items()))


def balance(view: overview.View) -> list[tuple[str, str]]:
    """Return a row for the balance, and one for the debt if there is one."""
    debt = [(_("Debt"), display.money(Money(view.debt, view.currency)))] if view.debt else []
    return [(_("Balance"), display.money(view.spendable)), *debt]


def balances(view: overview.CustomerOverview, currencies: Collection[str]) -> list[tuple[str, str]]:
    """Return the same rows for each of these currencies."""
    return [row for each in view.views if each.currency in currencies for row in balance(each)]


def prices_and_balances(view: overview.CustomerOverview, states: Sequence[SubscriptionState]) -> list[tuple[str, str]]:
    """Return each subscription with its price, what is to pay for it if it is only one, and the balances."""
    found = shortened([(name(state), priced(state.price, state.quantity, state.row.periods)) for state in states])
    if len(states) == 1:
        [book] = [each for each in view.views if each.currency == states[0].price.currency]
        asked = dues.one(book, states[0].row)
        if asked is not None and asked.amount:
            found.append((_("To pay"), display.money(Money(asked.amount, book.currency))))
    return [*found, *balances(view, {state.price.currency for state in states})]


def page(rows: Sequence[Subscription]) -> str:
    """Return the link to the page of the subscription, or to the account if they are several."""
    return links.absolute("subscription", rows[0].public_id) if len(rows) == 1 else links.absolute("account")


def pay(states: Sequence[SubscriptionState]) -> str:
    """Return the link to the page where one subscription is paid, or the one to a top-up for several."""
    if len(states) == 1:
        return links.absolute("subscription_pay", states[0].row.public_id)
    return top_up(states[0].price.currency)


def top_up(currency: str) -> str:
    """Return the link to the page of a top-up in this currency."""
    return links.absolute("topup") + f"?currency={currency}"

"""What the page of a subscription says after an act: what was done, and the balance where money moved.

What happens next stands below it (templates/subscriptions/_next.html), so it is not said here.
"""

from django.utils.translation import gettext as _

from ledger import display
from subscriptions.models import Quote
from subscriptions.web.cards import Card


def started(card: Card) -> str:
    """Return what to say of a subscription that was just started from the balance, or for free."""
    text = _("%(plan)s has started.") % {"plan": card.price.plan.title}
    paid, left = "", ""
    if card.is_paid_ahead and card.due.amount:
        paid = _("%(amount)s is paid from your balance.") % {"amount": display.money(card.due)}
        left = _("Your balance is now %(amount)s.") % {"amount": display.money(card.available)}
    return _joined(text, paid, left)


def ends(card: Card) -> str:
    """Return what to say of a subscription that ends with its period or trial."""
    assert card.until is not None
    return _("%(plan)s ends on %(day)s. Nothing more is charged.") % {
        "plan": card.price.plan.title, "day": display.day(card.until),
    }  # fmt: skip


def kept(card: Card) -> str:
    """Return what to say of a subscription that goes on after all."""
    return _("You keep %(plan)s.") % {"plan": card.price.plan.title}


def planned_change_dropped(card: Card) -> str:
    """Return what to say after a planned change was cancelled."""
    return _("The planned change is cancelled.")


def renews(card: Card) -> str:
    """Return what to say after renewal was switched on."""
    return _("Automatic renewal is on.")


def paused(card: Card) -> str:
    """Return what to say after a pause began."""
    return _("%(plan)s is paused. Nothing is charged.") % {"plan": card.price.plan.title}


def resumed(card: Card) -> str:
    """Return what to say after a pause ended."""
    values = {"plan": card.price.plan.title}
    if not card.is_live:
        return _("Your balance is empty, so %(plan)s has not started. Top up and it starts.") % values
    return _("%(plan)s is running again.") % values


def changed(card: Card, quote: Quote, *, is_same: bool) -> str:
    """Return what to say after a change of plan or quantity; `is_same` if it only dropped what was planned."""
    if is_same:
        return kept(card)
    planned = card.coming_quantity if quote.quantity is not None else card.coming
    if planned and quote.when == Quote.When.PERIOD_END:
        assert card.until is not None
        return _("The change is planned for %(day)s.") % {"day": display.day(card.until)}
    if quote.quantity is not None:
        text = _("The quantity is now %(quantity)d.") % {"quantity": card.quantity}
    else:
        text = _("You now have %(plan)s.") % {"plan": card.price.plan.title}
    moved = _("Your balance is now %(amount)s.") % {"amount": display.money(card.available)} if quote.total else ""
    return _joined(text, moved)


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))

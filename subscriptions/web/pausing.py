"""What a pause keeps and ends, and what going on costs, in numbers."""

from django.utils.translation import gettext as _

from ledger import display
from subscriptions.web.cards import Card
from subscriptions.web.spans import shortly
from subscriptions.wording import every


def pause_effects(card: Card) -> list[str]:
    """Say what pausing does, and that it can be taken back."""
    if card.price.metered:
        return [
            _("Access ends at once, and so does the charge of %(rate)s.") % {"rate": _rate(card)},
            _("What was used up to this second is charged. Your balance then is %(amount)s.")
            % {"amount": display.money(card.available)},
            _("You can resume at any time: the charge goes on from that moment."),
        ]
    said = [
        _("Access ends at once. Nothing is charged while it is paused."),
        _("You keep what is left of the period: %(left)s. It goes on from the moment you resume.")
        % {"left": shortly(card.left)},
    ]
    if card.until:
        said.append(_until(card) % {"day": display.day(card.until)})
    return said


def resume_effects(card: Card) -> list[str]:
    """Say what resuming metered use does; a period that is paid for just goes on."""
    if card.available.amount or not card.due.amount:
        return [
            _("It runs from the moment you confirm, for %(rate)s from your balance, to the second.")
            % {"rate": _rate(card)},
            _("Your balance is %(amount)s.") % {"amount": display.money(card.available)},
        ]
    return [_("Your balance is empty. It starts by itself when you top up, for %(rate)s.") % {"rate": _rate(card)}]


def _until(card: Card) -> str:
    if card.is_leaving:
        return _("It was to end on %(day)s; it ends as much later as the pause lasts.")
    if not card.holding.auto_renew:
        return _("It was paid until %(day)s; it ends as much later as the pause lasts.")
    return _("The next payment was to be on %(day)s; it comes as much later as the pause lasts.")


def _rate(card: Card) -> str:
    return f"{display.money(card.due)} {every(card.price)}"

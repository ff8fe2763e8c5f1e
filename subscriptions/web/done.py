"""What pages say after an act: what was done, and what happens next with the subscription."""

from django.utils.translation import gettext as _

from ledger import display
from subscriptions.labels import every
from subscriptions.models import Quote, Subscription
from subscriptions.web.cards import Card

Status = Subscription.Status


def started(card: Card) -> str:
    """Return what to say of a subscription that was just started from the balance, or for free."""
    text = _("%(plan)s has started.") % {"plan": card.price.plan.title}
    paid, left = "", ""
    if card.is_paid_ahead and card.due.amount:
        paid = _("%(amount)s is paid from your balance.") % {"amount": display.money(card.due)}
        left = _("Your balance is now %(amount)s.") % {"amount": display.money(card.available)}
    return _joined(text, paid, left, whats_next(card))


def ends(card: Card) -> str:
    """Return what to say of a subscription that ends with its period or trial."""
    assert card.until is not None
    return _("%(plan)s ends on %(day)s. Nothing more is charged.") % {
        "plan": card.price.plan.title, "day": display.day(card.until),
    }  # fmt: skip


def kept(card: Card) -> str:
    """Return what to say of a subscription that goes on after all."""
    return _joined(_("You keep %(plan)s.") % {"plan": card.price.plan.title}, whats_next(card))


def planned_change_dropped(card: Card) -> str:
    """Return what to say after a planned change was cancelled."""
    return _joined(_("The planned change is cancelled."), whats_next(card))


def renews(card: Card) -> str:
    """Return what to say after renewal was switched on."""
    return _joined(_("Automatic renewal is on."), whats_next(card))


def paused(card: Card) -> str:
    """Return what to say after a pause began."""
    return _("%(plan)s is paused. Nothing is charged.") % {"plan": card.price.plan.title}


def resumed(card: Card) -> str:
    """Return what to say after a pause ended."""
    values = {"plan": card.price.plan.title}
    if not card.is_live:
        return _("Your balance is empty, so %(plan)s has not started. Top up and it starts.") % values
    return _joined(_("%(plan)s is running again.") % values, whats_next(card))


def changed(card: Card, quote: Quote, *, is_same: bool) -> str:
    """Return what to say after a change of plan or quantity; `is_same` if it only dropped what was planned."""
    if is_same:
        return kept(card)
    planned = card.coming_quantity if quote.quantity is not None else card.coming
    if planned and quote.when == Quote.When.PERIOD_END:
        return _changes_later(card)
    if quote.quantity is not None:
        text = _("The quantity is now %(quantity)d.") % {"quantity": card.quantity}
    else:
        text = _("You now have %(plan)s.") % {"plan": card.price.plan.title}
    moved = _("Your balance is now %(amount)s.") % {"amount": display.money(card.available)} if quote.total else ""
    return _joined(text, moved, whats_next(card))


def whats_next(card: Card) -> str:
    """Return what happens next with a subscription; empty if nothing is known to happen."""
    if card.missing.amount:
        return _("It starts when you pay %(amount)s.") % {"amount": display.money(card.missing)}
    if card.status is Status.ACTIVE and card.price.metered:
        return _("It costs %(price)s from your balance.") % {"price": _price(card)}
    if card.until is None or not card.ends_by_itself:
        return ""
    values = {"day": display.day(card.until), "price": _price(card), "amount": display.money(card.due)}
    if card.is_leaving:
        return _("It ends on %(day)s. Nothing more is charged.") % values
    if card.status is Status.TRIALING:
        return _("It is free until %(day)s, then %(price)s.") % values
    if not card.state.auto_renew:
        return _("It is paid until %(day)s and does not renew automatically.") % values
    if card.coming or card.coming_quantity:
        return _changes_later(card)
    if card.is_short:
        # The card below says what the balance lacks, and whether a saved method pays it.
        return _("It renews on %(day)s for %(amount)s.") % values
    return _("It renews on %(day)s for %(amount)s from your balance.") % values


def _changes_later(card: Card) -> str:
    """Return what happens at the end of the period, where the plan or the quantity changes."""
    assert card.until is not None
    values = {"day": display.day(card.until), "old": card.price.plan.title}
    if card.coming is None:
        return _(
            "The quantity changes to %(quantity)d on %(day)s. From then on a payment is %(amount)s from your balance."
        ) % {**values, "quantity": card.coming_quantity, "amount": display.money(card.due)}
    due = card.coming_due
    assert due is not None
    price = f"{display.money(due)} {every(card.coming)}" if card.coming.metered else display.money(due)
    return _("You keep %(old)s until %(day)s. Then %(new)s starts, for %(price)s from your balance.") % {
        **values, "new": card.coming.plan.title, "price": price,
    }  # fmt: skip


def _price(card: Card) -> str:
    """Return what each payment costs, as in "€29.00 a month"; the rate of metered use."""
    periods = 1 if card.price.metered else card.row.periods
    return f"{display.money(card.due)} {every(card.price, periods)}"


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))

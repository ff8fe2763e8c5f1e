"""The choice a customer has when cancelling, with what each way does in numbers, and doing it.

What comes back for unused time is worked out at the instant of cancelling, and the page says so: a minor unit of it
lasts for seconds, so that a promised amount would nearly always be gone before it is read. What is not left to time
is held to: when the amount differs by more than a page may be old, nothing happens and the page is shown again.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.web.auth import SignedInRequest
from ledger import display
from ledger.money import Money
from subscriptions import orders
from subscriptions.books import OpenBook, Refused
from subscriptions.explain.sentences import HOUR
from subscriptions.quotes import VALID_FOR
from subscriptions.web.cards import Action, Card, possible
from subscriptions.web.subscriptions import back_to, card_of, too_late

UNUSED = "unused_refund"


class NotAsShown(Exception):
    """What comes back is not what the page said, by more than the time since then takes off it."""


class CancelForm(forms.Form):
    """`when`: at the end of what is paid for, or now; and what the page said of both."""

    when = forms.ChoiceField()
    shown_until = forms.CharField(required=False)
    shown_unused = forms.IntegerField(required=False)

    def __init__(self, data: Any = None, *, card: Card) -> None:
        super().__init__(data)
        self.card = card
        self.ways = ways(card)
        field = self.fields["when"]
        assert isinstance(field, forms.ChoiceField)
        # A second cancel at the end is no error: that of a double click.
        known = [*self.ways, *later(card)]
        field.choices = [(each.when, each.title) for each in known]

    @property
    def until(self) -> str:
        """The end the page speaks of, to the microsecond."""
        return self.card.until.isoformat() if self.card.ends_by_itself and self.card.until else ""

    def clean(self) -> dict[str, Any]:
        """Refuse an end that is not the one the customer has seen."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("when") == "period_end" and cleaned["shown_until"] != self.until:
            raise forms.ValidationError(as_it_is_now())
        return cleaned

    def carry_out(self, *, now: datetime) -> str:
        """Cancel, and return what to tell the customer; raise Refused, or NotAsShown with nothing done."""
        if self.cleaned_data["when"] == "period_end":
            orders.change(self.card.row, now=now, act=partial(OpenBook.cancel, subscription=self.card.row))
            return _("Done. You will find what happens next below.")
        came_back = end_now(self.card, self.cleaned_data["shown_unused"] or 0, now=now)
        if not came_back.amount:
            return _("Cancelled. It has ended.")
        return _("Cancelled. %(amount)s came back to your balance.") % {"amount": display.money(came_back)}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to cancel: `when`, its name, and what it does in words."""

    when: str
    title: str
    effect: str


def ways(card: Card) -> list[Way]:
    """Return what the customer may choose, the gentler first."""
    now = Way("now", _("Cancel now"), _at_once(card))
    return [now] if card.state.cancel_requested else [*later(card), now]


def later(card: Card) -> list[Way]:
    """Return the way that waits for the end of what is paid for or of the trial, where there is such an end."""
    if not card.ends_by_itself or card.until is None:
        return []
    effect = _("You keep it until %(moment)s. Nothing more is charged, and you can change your mind until then.") % {
        "moment": display.moment(card.until)
    }
    return [Way("period_end", _("Cancel on %(day)s") % {"day": display.day(card.until)}, effect)]


def end_now(card: Card, shown: int, *, now: datetime) -> Money:
    """Cancel at once and return what came back; raise NotAsShown, and undo it, when that is not what was `shown`."""
    came_back = 0

    def act(book: OpenBook) -> None:
        nonlocal came_back
        movements = book.item.book.journal.movements
        done = len(movements)
        book.cancel(card.row, when="now", refund_unused=True)
        came_back = sum(
            movement.amount
            for movement in movements[done:]
            if movement.reason == UNUSED and movement.sub and movement.sub.id == card.row.pk
        )
        if not 0 <= shown - came_back <= _lost_meanwhile(card):
            raise NotAsShown

    orders.change(card.row, now=now, act=act)
    return Money(came_back, card.price.currency)


def as_it_is_now() -> str:
    """Say that nothing was done, and why."""
    return _("The subscription has changed since this page was shown. Nothing was done; look at it again.")


def _lost_meanwhile(card: Card) -> int:
    """Return by how much the unused part shrinks while a page is read: minor units, rounded up."""
    if card.is_paused or not card.left:
        return 0
    return -(-card.unused.amount * VALID_FOR // card.left)


def _at_once(card: Card) -> str:
    if card.unused.amount and card.is_paused:
        return _("It ends for good. The unused part, %(amount)s, goes back to your balance.") % {
            "amount": display.money(card.unused)
        }
    if card.unused.amount:
        words = {"amount": display.money(card.unused), "less": display.money(_an_hour_less(card))}
        return (
            _(
                "Access ends at once. The unused part goes back to your balance: %(amount)s at this moment. The exact "
                "amount is worked out when you confirm; it gets less by about %(less)s an hour."
            )
            % words
        )
    if card.price.metered and card.is_live:
        return _("Access ends at once. What was used up to this second is charged, nothing after it.")
    if card.is_live:
        return _("Access ends at once. Nothing is charged.")
    return _("It ends at once. Nothing is charged.")


def _an_hour_less(card: Card) -> Money:
    return Money(min(card.unused.amount, -(-card.unused.amount * HOUR // card.left)), card.price.currency)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def cancel(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Show what cancelling does, in numbers; then do it."""
    now = timezone.now()
    card = card_of(request, public_id, now=now)
    form = CancelForm(request.POST or None, card=card)
    if Action.CANCEL not in possible(card) or (form.is_valid() and _is_over(request, form, now=now)):
        return back_to(card)
    context = {"card": card, "form": form}
    return render(request, "subscriptions/cancel.html", context, status=422 if form.errors else 200)


def _is_over(request: SignedInRequest, form: CancelForm, *, now: datetime) -> bool:
    """Cancel as the form says; False: the page must be shown again, as it is now."""
    try:
        messages.success(request, form.carry_out(now=now))
    except NotAsShown:
        form.add_error(None, as_it_is_now())
        return False
    except Refused:
        too_late(request)
    return True

"""The page that cancels a subscription: at the end of the period or now, with the amounts of each.

The refund for unused time is calculated at the moment of cancelling, and the page says so: it shrinks by a minor unit
within seconds, so an exact amount would nearly always be outdated before it is read. But if the refund differs from the
shown amount by more than the allowed age of the page explains, nothing is done and the page is shown again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.web.auth import SignedInRequest
from ledger import display
from ledger.money import Money
from subscriptions import orders
from subscriptions.books import OpenBook
from subscriptions.explain.sentences import HOUR
from subscriptions.quotes import VALID_FOR
from subscriptions.refusals import Refused
from subscriptions.web import done
from subscriptions.web.actions import Action, possible_actions
from subscriptions.web.cards import Card
from subscriptions.web.subscriptions import add_too_late_error, get_card, redirect_to


class RefundChanged(Exception):
    """The refund differs from the amount on the page by more than the passing of time explains."""


class CancelForm(forms.Form):
    """The form: `when` is the end of the period or now; the other fields are what the page showed."""

    when = forms.ChoiceField(
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose when to cancel"))
    )
    # Whether a refund may go to the card. Payments are the app above (payments.web.cancel).
    offers_card = False
    shown_until = forms.CharField(required=False)
    shown_unused = forms.IntegerField(required=False)

    def __init__(self, data: Any = None, *, card: Card) -> None:
        super().__init__(data)
        self.card = card
        self.ways = ways(card)
        field = self.fields["when"]
        assert isinstance(field, forms.ChoiceField)
        # Cancelling at the end twice is no error: it may be a double click.
        accepted = [*self.ways, *later(card)]
        field.choices = [(each.when, each.title) for each in accepted]

    @property
    def until(self) -> str:
        """The end of the period that the page shows, to the microsecond."""
        return self.card.until.isoformat() if self.card.ends_by_itself and self.card.until else ""

    def clean(self) -> dict[str, Any]:
        """Reject the form if the end of the period is not the one the customer has seen."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("when") == "period_end" and cleaned["shown_until"] != self.until:
            raise forms.ValidationError(changed_message())
        return cleaned

    def carry_out(self, *, now: datetime) -> str:
        """Cancel and return the message for the customer. Raises Refused or RefundChanged, and then does nothing."""
        if self.cleaned_data["when"] == "period_end":
            orders.change(self.card.row, now=now, act=partial(OpenBook.cancel, subscription=self.card.row))
            return done.ends(self.card)
        refund = end_now(self.card, self.cleaned_data["shown_unused"] or 0, now=now)
        if not refund.amount:
            return _("Cancelled. The subscription has ended.")
        return _("Cancelled. We refunded %(amount)s to your balance.") % {"amount": display.money(refund)}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to cancel, with its title and a sentence on its effect."""

    when: str
    title: str
    effect: str


def ways(card: Card) -> list[Way]:
    """Return the ways the customer can choose from, the one at the end of the period first."""
    now = Way("now", _("Cancel now"), _at_once(card))
    return [now] if card.state.cancel_requested else [*later(card), now]


def later(card: Card) -> list[Way]:
    """Return the way that waits for the end of the period or trial; empty if there is no such end."""
    if not card.ends_by_itself or card.until is None:
        return []
    effect = _("You keep it until %(moment)s. Nothing more is charged. You can change your mind until then.") % {
        "moment": display.moment(card.until)
    }
    return [Way("period_end", _("Cancel on %(day)s") % {"day": display.day(card.until)}, effect)]


def end_now(card: Card, shown: int, *, now: datetime) -> Money:
    """Cancel at once and return the refund; raise RefundChanged and roll back if it is too far from `shown`."""
    refund = 0

    def act(book: OpenBook) -> None:
        nonlocal refund
        refund = book.end(card.row, refund_unused=card.price.can_refund_unused)
        check_refund(card, shown, refund)

    orders.change(card.row, now=now, act=act)
    return Money(refund, card.price.currency)


def check_refund(card: Card, shown: int, refund: int) -> None:
    """Raise RefundChanged if the refund is too far from the amount that the page has shown, both in minor units."""
    if not 0 <= shown - refund <= _allowed_loss(card):
        raise RefundChanged


def changed_message() -> str:
    """Return the message that nothing was done because the subscription has changed."""
    return _("The subscription has changed since you opened this page. Nothing was done. Check it and try again.")


def _allowed_loss(card: Card) -> int:
    """Return by how many minor units, rounded up, the refund may shrink within quotes.VALID_FOR."""
    if card.is_paused or not card.left:
        return 0
    return -(-card.refund.amount * timedelta(microseconds=VALID_FOR) // card.left)


def _at_once(card: Card) -> str:
    """Return a sentence on the effect of cancelling now."""
    if card.refund.amount and card.is_paused:
        return _("It ends for good. We refund %(amount)s for unused time to your balance.") % {
            "amount": display.money(card.refund)
        }
    if card.refund.amount:
        values = {"amount": display.money(card.refund), "less": display.money(_loss_per_hour(card))}
        return (
            _(
                "Access ends at once. We refund the unused time to your balance: %(amount)s right now. The exact "
                "amount is calculated when you confirm. It drops by about %(less)s an hour."
            )
            % values
        )
    if card.unused.amount:
        return _("It ends at once. This plan does not refund unused time.")
    if card.grace_cost.amount:
        text = _("Access ends at once. The days since the unpaid period ended are charged: %(amount)s so far.")
        return text % {"amount": display.money(card.grace_cost)}
    if card.price.metered and card.is_live:
        return _("Access ends at once. You pay for what you used up to that second and nothing after it.")
    if card.is_live:
        return _("Access ends at once. Nothing is charged.")
    return _("It ends at once. Nothing is charged.")


def _loss_per_hour(card: Card) -> Money:
    return Money(min(card.refund.amount, -(-card.refund.amount * HOUR // card.left)), card.price.currency)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def cancel(request: SignedInRequest, public_id: str, *, form_class: type[CancelForm] = CancelForm) -> HttpResponse:
    """Show what each way to cancel does; on POST, cancel. The app above may add choices to the form."""
    now = timezone.now()
    card = get_card(request, public_id, now=now)
    form = form_class(request.POST or None, card=card)
    if Action.CANCEL not in possible_actions(card) or (form.is_valid() and _carry_out(request, form, now=now)):
        return redirect_to(card)
    context = {"card": card, "form": form}
    return render(request, "subscriptions/cancel.html", context, status=422 if form.errors else 200)


def _carry_out(request: SignedInRequest, form: CancelForm, *, now: datetime) -> bool:
    """Cancel as the form says and add a message. Return False if the page must be shown again with new amounts."""
    try:
        messages.success(request, form.carry_out(now=now))
    except RefundChanged:
        form.add_error(None, changed_message())
        return False
    except Refused:
        add_too_late_error(request)
    return True

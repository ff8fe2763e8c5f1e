"""What the account page says of a wallet that will not reach: when, what ends then, and how urgent that is."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.web.auth import SignedInRequest
from ledger import display, statements
from ledger.models import Account
from ledger.money import Money
from payments import transitions
from payments.models import Payment
from payments.web.payment_page import WAITS_FOR_CUSTOMER, face_of
from subscriptions import forecast, overview
from subscriptions.explain.sentences import shortly
from subscriptions.forecast import Ending, Forecast
from subscriptions.web.cards import Card, cards
from subscriptions.web.statement import StatementLine, named

SOON, VERY_SOON, LAST_HOUR = (timedelta(hours=hours) for hours in forecast.NOTICE_HOURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningOut:
    """One wallet's end in sight."""

    # Empty while there is time, and said beside the balance; a box of its own within 72 hours (`warn`) and within 24
    # (`bad`). The heading says so too.
    tone: str
    heading: str
    ends_at: datetime
    # A sentence for each subscription that finds no money then.
    ends: list[str]
    # A payment in this currency is under way: nobody is asked to pay twice.
    is_paying: bool


def running_out(
    found: Forecast | None, *, now: datetime, told: AbstractSet[int], coming_in: AbstractSet[str]
) -> RunningOut | None:
    """Say what a forecast means to a customer; None when there is no end in sight.

    `told`: ids of subscriptions that the page says need money anyway; `coming_in`: currencies of open payments.
    """
    if found is None or all(end.subscription.pk in told for end in found.ends):
        return None
    left = found.ends_at - now
    return RunningOut(
        tone="bad" if left <= VERY_SOON else "warn" if left <= SOON else "",
        heading=_heading(found.ends_at, left),
        ends_at=found.ends_at,
        ends=[_end(end) for end in found.ends],
        is_paying=any(end.price.currency in coming_in for end in found.ends),
    )


def _heading(ends_at: datetime, left: timedelta) -> str:
    if left > SOON:
        return _("Your balance lasts until %(day)s") % {"day": display.day(ends_at)}
    if left <= LAST_HOUR:
        return _("Your balance lasts less than an hour")
    return _("Your balance lasts only %(left)s more") % {"left": shortly(left)}


def _end(end: Ending) -> str:
    words = {"plan": end.price.plan.title}
    if end.price.metered:
        return _("%(plan)s stops then.") % words
    if end.grace_end is None:
        return _("%(plan)s cannot be paid for then, and stops.") % words
    return _("%(plan)s cannot be paid for then. It can still be used until %(moment)s.") % {
        **words, "moment": display.moment(end.grace_end),
    }  # fmt: skip


LAST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """One wallet: what is in it, what of that is still free, and how it came to be so."""

    balance: Money
    available: Money
    lines: list[StatementLine]
    # When it will not reach any more at the present use, and what ends then; None where nothing will.
    running_out: RunningOut | None

    @property
    def in_use(self) -> Money:
        """Used already, not yet written down."""
        return Money(self.balance.amount - self.available.amount, self.balance.currency)

    @property
    def used(self) -> Money:
        """The same as a movement that is still to come: below zero."""
        return Money(-self.in_use.amount, self.balance.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSummary:
    """Everything the account page says."""

    purses: list[Purse]
    going_on: list[Card]
    over: list[Card]
    # Payments on their way: not in the balance yet.
    open_payments: list[Payment]
    # Open payments on which nothing happens before the customer acts.
    to_finish: list[Payment]

    @property
    def wanting(self) -> list[Card]:
        """Subscriptions that lack money, but for those that a payment is under way for: nobody shall pay twice."""
        paid_for = {payment.subscription_id for payment in [*self.open_payments, *self.to_finish]}
        return [card for card in self.going_on if card.state.is_unpaid and card.row.pk not in paid_for]


def summarize(customer: User, *, now: datetime) -> AccountSummary:
    """Look at all of a customer's books at `now`. Reads only."""
    wallets = list(Account.objects.filter(owner=customer, kind=Account.Kind.WALLET).order_by("currency"))
    looked = overview.of(customer, now=now)
    forecasts = forecast.by_currency(looked.views, now=now)
    available = {view.currency: view.available for view in looked.views}
    shown = cards(looked.rows().order_by("-id"), looked)
    going_on = [card for card in shown if not card.is_over]
    under_way = list(Payment.objects.filter(customer=customer, status__in=transitions.OPEN).order_by("-id"))
    to_finish = [payment for payment in under_way if face_of(payment, now=now) in WAITS_FOR_CUSTOMER]
    ending = partial(
        running_out,
        now=now,
        told={card.row.pk for card in going_on if card.state.is_unpaid},
        coming_in={payment.currency for payment in under_way},
    )
    return AccountSummary(
        purses=[
            _purse(wallet, available[wallet.currency], ending(forecasts.get(wallet.currency))) for wallet in wallets
        ],
        going_on=going_on,
        over=[card for card in shown if card.is_over],
        open_payments=[payment for payment in under_way if payment not in to_finish],
        to_finish=to_finish,
    )


def _purse(wallet: Account, available: int, ending: RunningOut | None) -> Purse:
    return Purse(
        balance=Money(wallet.balance or 0, wallet.currency),
        available=Money(available, wallet.currency),
        lines=list(named(statements.statement(wallet.pk, limit=LAST))),
        running_out=ending,
    )


@require_safe
@never_cache
@login_required
def account_page(request: SignedInRequest) -> HttpResponse:
    """Balance, subscriptions, what needs attention, the last movements."""
    return render(request, "payments/account.html", {"account": summarize(request.user, now=timezone.now())})

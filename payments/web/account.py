"""The account page: balances, warnings before the money runs out, subscriptions, open payments, saved cards, last
transactions.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.web.auth import SignedInRequest
from ledger import statements
from ledger.money import Money
from payments import methods, transitions
from payments.collection import coverage
from payments.collection.coverage import Coverage
from payments.gateways import registry
from payments.models import Payment, PaymentMethod
from payments.web.methods import adding
from payments.web.payment_page import WAITS_FOR_CUSTOMER, PageState, page_state
from payments.web.pictures import Lasting, Spending, lasting, spending
from payments.web.policy import leads_to_gateways
from payments.web.running_out import RunningOut, running_out
from subscriptions import costs, dues, forecast, overview
from subscriptions.overview import View
from subscriptions.web import balances
from subscriptions.web.cards import Card, cards
from subscriptions.web.statement import StatementLine, statement_lines

# How many transactions of each wallet the page shows.
LAST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletSummary:
    """One wallet on the page."""

    # As recorded in the ledger.
    balance: Money
    # The balance less what is in use.
    available: Money
    # What is used or due now but not posted yet.
    in_use: Money
    # What the customer owes in this currency.
    debt: Money
    lines: list[StatementLine]
    # None if the money does not run out at the current rate of use, or if it is topped up before.
    running_out: RunningOut | None
    # How long it lasts, as a picture; None if nothing is paid out of it soon.
    lasting: Lasting | None
    # What was spent of it lately; None if nothing was.
    spending: Spending | None
    # The saved card or account with which the customer's rule tops this balance up.
    topped_up_with: PaymentMethod | None

    @property
    def can_top_up(self) -> bool:
        """Whether a gateway that is offered takes the currency."""
        return bool(registry.names(self.balance.currency))

    @property
    def to_pay(self) -> Money:
        """The smallest payment that pays the debt."""
        return Money(dues.payable(self.debt.amount, self.debt.currency), self.debt.currency)

    @property
    def used(self) -> Money:
        """The same as a negative amount."""
        return Money(-self.in_use.amount, self.balance.currency)


class OpenPayment(NamedTuple):
    """A payment that is not over, and the state of its page, which says why."""

    payment: Payment
    state: PageState


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSummary:
    """Everything that the account page shows."""

    wallets: list[WalletSummary]
    going_on: list[Card]
    over: list[Card]
    # Payments of which the customer has done their part; not in the balance yet.
    open_payments: list[OpenPayment]
    # Open payments that wait for the customer.
    to_finish: list[Payment]
    # Cards and accounts that the customer has saved.
    methods: list[PaymentMethod]
    # What the customer has agreed to be charged for.
    covered: Coverage

    @property
    def has_one_wallet(self) -> bool:
        return len(self.wallets) == 1

    @property
    def is_new(self) -> bool:
        """Whether nothing has happened yet, so that the page shows the first steps."""
        return not (self.wallets or self.going_on or self.over or self.needs_attention or self.methods)

    @property
    def in_debt(self) -> list[WalletSummary]:
        """The wallets whose debt is to be paid by itself; paying for an unpaid subscription pays it too."""
        asked = {card.missing.currency for card in self.unpaid if card.missing.amount}
        return [each for each in self.wallets if each.debt.amount and each.debt.currency not in asked]

    @property
    def needs_attention(self) -> bool:
        """Whether the page begins with something that the customer should know or do."""
        of_wallets = any(each.debt.amount or (each.running_out and each.running_out.tone) for each in self.wallets)
        return bool(self.unpaid or of_wallets or self.to_finish or self.open_payments)

    @property
    def unpaid(self) -> list[Card]:
        """Unpaid subscriptions without an open payment. Asking for the others too could make the customer pay twice."""
        waiting = [*(each.payment for each in self.open_payments), *self.to_finish]
        paid_for = {payment.subscription_id for payment in waiting}
        return [card for card in self.going_on if card.state.is_unpaid and card.row.pk not in paid_for]


def summarize(customer: User, *, now: datetime) -> AccountSummary:
    """Return what the account page shows for a customer at `now`. Reads only."""
    held = overview.of(customer, now=now)
    rows = list(held.rows().order_by("-id"))
    all_cards = cards(rows, held)
    going_on = [card for card in all_cards if not card.is_over]
    # A payment whose page is being closed is not wanted any more, unless it has brought money that staff look into.
    wanted = Payment.objects.filter(Q(closing_at=None) | ~Q(parked_reason=""), customer=customer)
    unfinished = [
        OpenPayment(payment, page_state(payment, now=now))
        for payment in wanted.filter(status__in=transitions.OPEN)
        .select_related("plan", "subscription__price__plan")
        .order_by("-id")
    ]
    forecasts = forecast.by_currency(held.views, now=now, known=rows)
    warning = partial(
        running_out,
        now=now,
        paying_in={each.payment.currency for each in unfinished},
    )
    spent = costs.by_currency(list(held.wallets.values()), now=now) if held.wallets else {}
    lines = list(statement_lines(statements.latest(list(held.wallets.values()), limit=LAST)))
    covered = coverage.of(customer.pk)

    def summary(view: View) -> WalletSummary:
        currency, outlook = view.currency, forecasts.get(view.currency)
        is_told = outlook is not None and outlook.is_of_unpaid
        own = [card for card in going_on if card.price.currency == currency]
        topped_up_with = covered.top_up_method(currency, now=now)
        method = covered.renewal_method(currency, now=now)
        return WalletSummary(
            balance=Money(view.balance, currency),
            available=view.spendable,
            in_use=view.in_use,
            debt=Money(view.debt, currency),
            lines=[line for line in lines if line.money.currency == currency],
            running_out=None if topped_up_with or is_told else warning(outlook, method=method),
            lasting=None if is_told else lasting(own, outlook, now=now),
            spending=spending(spent[currency], currency) if currency in spent else None,
            topped_up_with=topped_up_with,
        )

    return AccountSummary(
        wallets=[summary(view) for view in held.views],
        going_on=going_on,
        over=[card for card in all_cards if card.is_over],
        open_payments=[each for each in unfinished if each.state not in WAITS_FOR_CUSTOMER],
        to_finish=[each.payment for each in unfinished if each.state in WAITS_FOR_CUSTOMER],
        methods=list(methods.kept(customer)),
        covered=covered,
    )


@require_safe
@login_required
@leads_to_gateways
def account_page(request: SignedInRequest) -> HttpResponse:
    """Show the account page."""
    account = summarize(request.user, now=timezone.now())
    in_head = balances.shown([each.available for each in account.wallets])
    context = {"account": account, "adding": adding(), "balances": in_head}
    return render(request, "payments/account.html", context)

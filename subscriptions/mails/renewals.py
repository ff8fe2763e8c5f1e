"""The mails about renewals: one is near, one has happened."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.mail_choices import MailCategory
from accounts.models import User
from core.letters import Notice
from events.mails.kinds import Kind, each_instant
from events.models import Event
from ledger import display
from ledger.models import Transaction
from ledger.money import Money
from subscriptions import overview, reminders
from subscriptions.engine.calendar import MICROSECOND
from subscriptions.mails import subjects
from subscriptions.models import Charge, Subscription
from subscriptions.models.subscription import LIVE

# A renewal of a shorter interval is not told: that would be a mail every day, or every hour.
SHORTEST = timedelta(days=7)
IN_DAYS = {"week": 7, "month": 28, "year": 365}
# A payment after the last reminder, without which the renewal had not been possible, was made for it, and its receipt
# told of the money.
PAID_FOR_IT = timedelta(days=3)


def ahead(events: Sequence[Event], recipient: User, now: datetime, *, method: str = "") -> Notice | None:
    """Return what renews when for how much and what is missing; None if it does not, or a tighter reminder is due.

    `method` is the saved method to which what is missing is charged by itself; empty if there is none.
    """
    event = events[-1]
    [row] = subjects.of([event])
    days, view = event.data["days"], overview.peek(recipient, row.price.currency, now=now)
    [state] = overview.CustomerOverview(recipient, [view]).states([row])
    charge = state.next_charge
    if charge is None or not charge.amount.amount or charge.at.isoformat() != event.data["renews_at"]:
        return None
    tighter = reminders.next_after(days, row.period_length * MICROSECOND)
    if charge.at - now <= timedelta(days=tighter):
        return None
    lacking = missing(view, row, charge.at, charge.amount)
    is_short = bool(lacking.amount) and not method
    plan = state.scheduled or state.price
    values = {
        "plan": plan.plan.title, "amount": display.money(charge.amount), "day": display.day(charge.at),
    }  # fmt: skip
    sentences = [_("%(plan)s renews on %(day)s for %(amount)s, from your balance.") % values]
    if lacking.amount:
        sentences.append(how_it_is_paid(lacking, method))
    else:
        sentences.append(_("Your balance is enough. You don't need to do anything."))
    return Notice(
        title=_("%(plan)s renews on %(day)s: %(amount)s") % values,
        sentences=sentences,
        button=_("Top up") if is_short else _("See the subscription"),
        url=subjects.top_up(view.currency) if is_short else subjects.page([row]),
        rows=[
            (subjects.named(plan.plan.title, state.scheduled_quantity or state.quantity), values["amount"]),
            *subjects.balance(view),
            *([(_("You need"), display.money(lacking))] if lacking.amount else []),
        ],
        note=_("If you don't want it to renew, cancel it before that day."),
        tone="warn" if is_short else "",
        tag=_("Top up needed") if is_short else "",
    )


def missing(view: overview.View, row: Subscription, at: datetime, amount: Money) -> Money:
    """Return what a renewal lacks if no more money comes in; zero if it will be paid."""
    later = overview.view(view.currency, view.book, at)
    if later.status_of(row) == Subscription.Status.ACTIVE:
        return Money(0, view.currency)
    return Money(max(0, amount.amount + later.debt - later.available), view.currency)


def how_it_is_paid(lacking: Money, method: str) -> str:
    """Return a sentence about the money that is missing: it is charged to the method, or the customer must top up."""
    values = {"missing": display.money(lacking), "method": method}
    if method:
        return _("Your balance lacks %(missing)s. We charge it to %(method)s before then.") % values
    return _("You need %(missing)s more. Top up to keep the subscription running.") % values


AHEAD = Kind(
    name="renewal_ahead",
    title=gettext_lazy("Renewal ahead"),
    category=MailCategory.REMINDERS,
    events=("subscription.renewal_ahead",),
    compose=ahead,
    cause=lambda event: f"{event.subject} {event.data['days']} days before {event.data['renews_at']}",
)


def long_enough(events: Sequence[Event]) -> list[Event]:
    """Return the events of subscriptions that are paid for a week or more at a time."""
    prices = Subscription.objects.filter(public_id__in={event.subject for event in events}).values_list(
        "public_id", "price__interval", "price__interval_count", "periods"
    )
    days = {name: IN_DAYS.get(interval, 1 if interval == "day" else 0) * count * periods
            for name, interval, count, periods in prices}  # fmt: skip
    return [event for event in events if days.get(event.subject, 0) >= SHORTEST.days]


def renewed(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return what has renewed at one instant and what it cost; None if a receipt told of the money."""
    at = events[0].effective_at
    rows = subjects.of(events)
    charges = Charge.objects.filter(subscription__in=rows, transaction__effective_at=at, full_length__isnull=False)
    paid = {charge.subscription_id: charge for charge in charges.order_by("pk")}
    rows = [row for row in rows if row.pk in paid]
    if not rows or subjects.has_beside(events[0], ("payment.confirmed",)) or _is_told(rows, paid, at):
        return None
    view = overview.of(recipient, now=now)
    amounts = [Money(paid[row.pk].amount, row.price.currency) for row in rows]
    values = {
        "plan": rows[0].price.plan.title, "count": len(rows), "amount": subjects.total(amounts),
        "when": display.moment(at),
    }  # fmt: skip
    many = ngettext(
        "%(count)d subscription renewed: %(amount)s", "%(count)d subscriptions renewed: %(amount)s", len(rows)
    )
    sentences = [_("%(amount)s was charged to your balance on %(when)s.") % values]
    return Notice(
        title=(_("%(plan)s renewed: %(amount)s") if len(rows) == 1 else many) % values,
        sentences=sentences,
        button=_("See the subscription") if len(rows) == 1 else _("See your account"),
        url=subjects.page(rows),
        rows=[
            *_lines(view.states(rows), paid, amounts),
            *subjects.balances(view, {row.price.currency for row in rows}),
        ],
    )


def _lines(
    states: Sequence[overview.SubscriptionState], paid: dict[int, Charge], amounts: Sequence[Money]
) -> list[tuple[str, str]]:
    lines = [
        (subjects.named(state.price.plan.title, paid[state.row.pk].quantity), display.money(amount))
        for state, amount in zip(states, amounts, strict=True)
    ]
    ends = paid[states[0].row.pk].period_end
    is_one = len(states) == 1 and states[0].status in LIVE
    return [*subjects.shortened(lines), *([(_("Paid until"), display.day(ends))] if is_one else [])]


def _is_told(rows: Sequence[Subscription], paid: dict[int, Charge], at: datetime) -> bool:
    """Return whether payments of the last days were needed for these renewals: their receipts told of the money."""
    needed: dict[int, int] = {}
    for row in rows:
        needed[row.wallet_id] = needed.get(row.wallet_id, 0) + paid[row.pk].amount
    return all(_was_paid_in(wallet, amount, at) for wallet, amount in needed.items())


def _was_paid_in(wallet: int, amount: int, at: datetime) -> bool:
    came = Transaction.objects.filter(
        wallet=wallet, reason=Transaction.Reason.TOP_UP, effective_at__gte=at - PAID_FOR_IT, effective_at__lte=at
    )
    return any((each.balance_after or 0) - each.amount < amount for each in came)


RENEWED = Kind(
    name="renewed",
    title=gettext_lazy("Renewed"),
    category=MailCategory.CHANGES,
    events=("subscription.renewed",),
    compose=renewed,
    choose=long_enough,
    cause=each_instant,
)

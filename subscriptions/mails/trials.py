"""The mail before a free trial ends: what will be charged, and how to cancel."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.mail_choices import MailCategory
from accounts.models import User
from core import links
from core.letters import Notice
from events.mails.kinds import Kind
from events.models import Event
from ledger import display
from ledger.money import Money
from subscriptions import overview, reminders
from subscriptions.mails import renewals, subjects
from subscriptions.models import Subscription
from subscriptions.overview import SubscriptionState, View


def ending(events: Sequence[Event], recipient: User, now: datetime, *, method: str = "") -> Notice | None:
    """Return when the trial ends and what is charged then; None if it was cancelled or changed, or is over.

    `method` is the saved method to which what is missing is charged by itself; empty if there is none.
    """
    event = events[-1]
    [row] = subjects.of([event])
    view = overview.peek(recipient, row.price.currency, now=now)
    [state] = overview.CustomerOverview(recipient, [view]).states([row])
    ends = state.trial_end
    if ends is None or ends.isoformat() != event.data["ends_at"] or state.cancel_requested or not state.price.amount:
        return None
    due = Money(state.price.amount * state.quantity * row.periods, view.currency)
    values = {
        "plan": subjects.name(state), "day": display.day(ends), "moment": display.moment(ends),
        "price": subjects.priced(state.price, state.quantity, row.periods), "amount": display.money(due),
    }  # fmt: skip
    lacking = _lacking(view, row, ends, due)
    is_short = lacking is not None and not (method and not state.price.metered)
    charged = (
        _("From then on %(price)s is charged to your balance as you use it.")
        if state.price.metered
        else _("On that day %(amount)s is charged to your balance.")
    )
    return Notice(
        title=_("Your free trial of %(plan)s ends on %(day)s") % values,
        sentences=[_("It ends on %(moment)s.") % values, charged % values, _money(lacking, state, method)],
        rows=[(subjects.name(state), values["price"]), *subjects.balance(view)],
        button=_("Top up") if is_short else _("See the subscription"),
        url=subjects.top_up(view.currency) if is_short else subjects.page([row]),
        note=_(
            "If you don't want to pay, cancel before that. You can use it until the trial ends, and nothing is charged:"
        ),
        link=(_("Cancel plan"), links.absolute("subscription_cancel", row.public_id)),
        tone="warn" if is_short else "",
        tag=_("Top up needed") if is_short else "",
    )


def _lacking(view: View, row: Subscription, ends: datetime, due: Money) -> Money | None:
    """Return what the first payment lacks if no more money comes in; None if it will be paid."""
    if overview.view(view.currency, view.book, ends).status_of(row) == Subscription.Status.ACTIVE:
        return None
    return renewals.missing(view, row, ends, due)


def _money(lacking: Money | None, state: SubscriptionState, method: str) -> str:
    if lacking is None:
        return _("Your balance is enough. You don't need to do anything.")
    if state.price.metered:
        return _("Your balance is not enough. Top up to keep the subscription running.")
    return renewals.how_it_is_paid(lacking, method)


TRIAL_ENDS = Kind(
    name="trial_ends",
    title=gettext_lazy("Trial ends"),
    category=MailCategory.REMINDERS,
    events=(reminders.TRIAL_EVENT,),
    compose=ending,
    cause=lambda event: f"{event.subject} before {event.data['ends_at']}",
)

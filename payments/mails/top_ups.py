"""The mails about a rule of automatic top-ups that charges no more: it was stopped, or its limit is reached."""

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
from payments.collection import top_ups
from subscriptions import overview
from subscriptions.mails import subjects

STOPPED, CAP_REACHED = "auto_top_up.stopped", "auto_top_up.cap_reached"


def stopped(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return why automatic top-ups are off; None if the customer has set them up again."""
    event = events[-1]
    currency = event.data["currency"]
    if top_ups.rule_of(recipient.pk, currency) is not None:
        return None
    match event.data["reason"]:
        case "burst":
            cause = _("We tried to charge %(method)s three times within a day, so we stopped.")
        case top_ups.DISPUTED:
            cause = _("Your bank is taking back one of your payments, so we stopped.")
        case _other:
            cause = _("%(method)s cannot be charged any more.")
    return Notice(
        title=_("Automatic top-ups are off"),
        sentences=[cause % event.data, _("They stay off until you set them up again.")],
        rows=subjects.balance(overview.peek(recipient, currency, now=now)),
        button=_("Set up again"),
        url=_page(currency),
        note=_("Or top up by hand:"),
        link=(_("Top up"), subjects.top_up(currency)),
        tone="bad",
        tag=_("Stopped"),
    )


def cap_reached(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return that the limit of a month stands in the way; None if the rule was changed, or if the month is over."""
    event = events[-1]
    currency = event.data["currency"]
    rule = top_ups.rule_of(recipient.pk, currency)
    if rule is None or rule.public_id != event.subject or top_ups.next_month(event.effective_at) <= now:
        return None
    values = {"cap": display.money(Money(rule.monthly_cap, currency)),
              "day": display.day(top_ups.next_month(now))}  # fmt: skip
    return Notice(
        title=_("Automatic top-ups have reached your limit of %(cap)s") % values,
        sentences=[
            _("You set this limit for a calendar month, so your balance was not topped up."),
            _("Automatic top-ups continue on %(day)s.") % values,
        ],
        rows=subjects.balance(overview.peek(recipient, currency, now=now)),
        button=_("Top up"),
        url=subjects.top_up(currency),
        note=_("You can change the limit:"),
        link=(_("Automatic payments"), _page(currency)),
        tone="warn",
        tag=_("Limit reached"),
    )


def _page(currency: str) -> str:
    return links.absolute("auto_top_up") + f"?currency={currency}"


TOP_UPS_STOPPED = Kind(
    name="top_ups_stopped",
    title=gettext_lazy("Automatic top-ups stopped"),
    category=MailCategory.MONEY,
    events=(STOPPED,),
    compose=stopped,
)
TOP_UP_LIMIT = Kind(
    name="top_up_limit",
    title=gettext_lazy("Limit of automatic top-ups reached"),
    category=MailCategory.MONEY,
    events=(CAP_REACHED,),
    compose=cap_reached,
)

"""The mail about a balance that staff have changed by hand, or a debt that they have written off in part."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.mail_choices import MailCategory
from accounts.models import User
from core import links
from core.letters import Notice
from events.mails.kinds import Kind, each_subject
from events.models import Event
from ledger import display
from payments.models import Adjustment
from subscriptions import overview
from subscriptions.mails import subjects

# The mail about a debt that was written off as a whole.
TOLD_ELSEWHERE = ("wallet.debt_written_off",)


def adjusted(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return what was given, taken or written off, and why; None if another mail tells it."""
    event = events[-1]
    row = Adjustment.objects.get(public_id=event.subject)
    if subjects.has_beside(event, TOLD_ELSEWHERE):
        return None
    titles = {
        Adjustment.Kind.CREDIT: _("We added %(amount)s to your balance"),
        Adjustment.Kind.DEBIT: _("We took %(amount)s from your balance"),
        Adjustment.Kind.WRITE_OFF: _("You owe %(amount)s less"),
    }
    is_given = row.kind != Adjustment.Kind.DEBIT
    return Notice(
        title=titles[Adjustment.Kind(row.kind)] % {"amount": display.money(row.money)},
        sentences=[_("Write to us if you have a question about it.")],
        button=_("See your account"),
        url=links.absolute("account"),
        rows=[
            (_("Reason"), row.reason),
            (_("Date"), display.moment(event.effective_at)),
            *subjects.balance(overview.peek(recipient, row.currency, now=now)),
            (_("Reference"), row.public_id),
        ],
        tone="ok" if is_given else "warn",
        tag=_("Added") if is_given else _("Taken"),
    )


ADJUSTED = Kind(
    name="adjusted",
    title=gettext_lazy("Balance changed by us"),
    category=MailCategory.MONEY,
    events=("adjustment.credited", "adjustment.debited", "adjustment.written_off"),
    compose=adjusted,
    cause=each_subject,
)

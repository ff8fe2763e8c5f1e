"""The mails about refunds: one was made to the card or to the balance, or did not arrive."""

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
from payments import descriptions
from payments.models import Refund
from subscriptions import overview
from subscriptions.mails import subjects


def refunded(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return what was refunded and where to; None if it has failed meanwhile."""
    refund = _find(events[-1])
    if refund.status != Refund.Status.SUCCEEDED:
        return None
    values = {"amount": display.money(refund.money)}
    if refund.is_void:
        title = _("%(amount)s is taken back from your balance")
        sentence = _("A bank transfer was recorded by mistake. Write to us if you did send it.")
    elif refund.destination == Refund.Destination.WALLET:
        title = _("%(amount)s is refunded to your balance")
        sentence = _("You can use it at once.")
    else:
        title = _("%(amount)s is refunded to your payment method")
        sentence = _("It goes back to where you paid from. Banks take up to 10 days to show it.")
    return Notice(
        title=title % values,
        sentences=[sentence],
        button=_("See the payment"),
        url=links.absolute("payment", refund.payment.public_id),
        rows=_rows(refund, recipient, now),
        tone="warn" if refund.is_void else "ok",
        tag=_("Taken back") if refund.is_void else _("Refunded"),
    )


def failed(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return that a refund did not arrive and is on the balance again; None if it was never taken from there."""
    refund = _find(events[-1])
    if not refund.is_from_wallet:
        return None
    values = {"amount": display.money(refund.money)}
    return Notice(
        title=_("The refund of %(amount)s did not arrive") % values,
        sentences=[
            _("Your bank did not take it."),
            _("The money is back on your balance. Write to us if you want it paid in another way."),
        ],
        button=_("See your account"),
        url=links.absolute("account"),
        rows=_rows(refund, recipient, now),
        tone="warn",
        tag=_("Not refunded"),
    )


def _find(event: Event) -> Refund:
    rows = Refund.objects.select_related("payment__plan", "payment__subscription__price__plan")
    return rows.get(public_id=event.subject)


def _rows(refund: Refund, recipient: User, now: datetime) -> list[tuple[str, str]]:
    return [
        (_("Payment"), descriptions.name_of(refund.payment)),
        *([(_("Reason"), refund.reason)] if refund.reason else []),
        (_("Date"), display.moment(refund.updated_at)),
        *subjects.balance(overview.peek(recipient, refund.currency, now=now)),
        (_("Reference"), refund.public_id),
    ]


REFUNDED = Kind(
    name="refunded",
    title=gettext_lazy("Refunded"),
    category=MailCategory.MONEY,
    events=("refund.succeeded",),
    compose=refunded,
    cause=each_subject,
)
REFUND_FAILED = Kind(
    name="refund_failed",
    title=gettext_lazy("Refund failed"),
    category=MailCategory.MONEY,
    events=("refund.failed",),
    compose=failed,
    cause=each_subject,
)

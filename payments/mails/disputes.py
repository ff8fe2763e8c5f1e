"""The mail about a dispute: a payment that the customer's bank takes back, and how that ends."""

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
from payments import descriptions
from payments.models import Dispute
from subscriptions import overview
from subscriptions.mails import subjects

Status = Dispute.Status


def step(event: Event) -> str:
    """Return the dispute and the step: each is told once."""
    return f"{event.subject} {event.type}"


def dispute(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return what the bank took back or returned, and what the customer owes; None if there is newer news."""
    event = events[-1]
    rows = Dispute.objects.select_related("payment__plan", "payment__subscription__price__plan")
    row = rows.get(public_id=event.subject)
    if row.status != EXPECTED[event.type]:
        return None
    view = overview.peek(recipient, row.currency, now=now)
    title, sentence = _words(row)
    values = {"amount": display.money(row.money)}
    sentences = [sentence]
    if view.debt:
        sentences.append(
            _("You owe %(debt)s. Top up to pay it.") % {"debt": display.money(Money(view.debt, row.currency))}
        )
    return Notice(
        title=title % values,
        sentences=sentences,
        button=_("Top up") if view.debt else _("See the payment"),
        url=subjects.top_up(row.currency) if view.debt else links.absolute("payment", row.payment.public_id),
        rows=[
            (_("Payment"), descriptions.name_of(row.payment)),
            *subjects.balance(view),
            (_("Reference"), row.payment.reference),
        ],
        note=_("Was this a mistake? Write to us, and tell your bank.") if row.status == Status.OPEN else "",
        tone="ok" if row.status == Status.WON else "bad",
        tag={Status.OPEN: _("Disputed"), Status.WON: _("Returned"), Status.LOST: _("Lost")}[Status(row.status)],
    )


def _words(row: Dispute) -> tuple[str, str]:
    """Return the title, with a placeholder, and the first sentence."""
    if row.status == Status.WON:
        sentence = (
            _("The dispute is over. The money is on your balance again.")
            if row.returned_at
            else _("The dispute is over. Nothing was taken from your balance.")
        )
        return _("The dispute of %(amount)s is over"), sentence
    if row.status == Status.LOST:
        sentence = (
            _("Your bank decided the dispute and returned the money to you, so we took it from your balance.")
            if row.withdrawn_at
            else _("The dispute is over. Nothing was taken from your balance.")
        )
        return _("%(amount)s went back to your bank"), sentence
    sentence = (
        _("Your bank took this payment back, so we took it from your balance.")
        if row.withdrawn_at
        else _("Your bank asks about this payment. Nothing is taken from your balance so far.")
    )
    return _("Your payment of %(amount)s is disputed"), sentence


EXPECTED = {"dispute.opened": Status.OPEN, "dispute.won": Status.WON, "dispute.lost": Status.LOST}

DISPUTE = Kind(
    name="dispute",
    title=gettext_lazy("Dispute"),
    category=MailCategory.MONEY,
    events=tuple(EXPECTED),
    compose=dispute,
    cause=step,
)

"""The mail about a saved card that expires soon."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.mail_choices import MailCategory
from accounts.models import User
from core import links
from core.letters import Notice
from events.mails.kinds import Kind
from events.models import Event
from ledger import display
from payments import expiring_cards
from payments.models import PaymentMethod


def expires(events: Sequence[Event], recipient: User, now: datetime) -> Notice | None:
    """Return which card expires when; None if it is not charged any more, or if a tighter reminder is due."""
    event = events[-1]
    card = PaymentMethod.objects.filter(public_id=event.subject, removed_at=None, refused_at=None).first()
    if card is None or card.expires_on is None or card.expires_on.isoformat() != event.data["expires_at"]:
        return None
    if not card.consents.filter(withdrawn_at=None).exists():
        return None
    if card.expires_on - now <= timedelta(days=expiring_cards.next_after(event.data["days"])):
        return None
    values = {"card": str(card), "day": display.day(card.expires_on)}
    return Notice(
        title=_("Your card %(card)s expires on %(day)s") % values,
        sentences=[
            _("It pays automatically for you. After that day we cannot charge it."),
            _("Choose another payment method, so that nothing stops."),
        ],
        button=_("Choose another method"),
        url=links.absolute("automatic_payments"),
        rows=[(_("Card"), values["card"]), (_("Expires on"), values["day"])],
        tone="warn",
        tag=_("Expires soon"),
    )


CARD_EXPIRES = Kind(
    name="card_expires",
    title=gettext_lazy("Card expires"),
    category=MailCategory.REMINDERS,
    events=(expiring_cards.EVENT,),
    compose=expires,
    cause=lambda event: f"{event.subject} {event.data['days']} days before {event.data['expires_at']}",
)

"""Two kinds of mails for tests, and helpers that make them happen. No test lives here."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.mail_choices import MailCategory
from accounts.models import User
from events import outbox
from events.mails import fan_out
from events.mails.kinds import Kind
from events.models import Event, Mail

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(**later: float) -> datetime:
    """Return an instant after noon of 1 March 2026: at(hours=2)."""
    return NOON + timedelta(**later)


def compose(events: Sequence[Event], recipient: User, now: datetime) -> dict[str, Any] | None:
    """Tell the subjects of the events; nothing if the last one is over, and raise if it is broken."""
    if events[-1].data.get("broken"):
        raise RuntimeError("the template is broken")
    return None if events[-1].data.get("over") else {"subjects": [event.subject for event in events]}


def named(event: Event) -> str:
    return str(event.data["cause"])


SAMPLE = Kind(
    name="sample", title="Sample", category=MailCategory.CHANGES, events=("sample.happened",), compose=compose,
    cause=named,
)  # fmt: skip
BILL = Kind(name="bill", title="Bill", category=MailCategory.MONEY, events=("bill.happened",), compose=compose)
KINDS = (SAMPLE, BILL)


def happened(customer: User, subject: str, kind: str = "bill", **data: Any) -> int:
    """Record and commit an event of a kind, and return its id."""
    return outbox.record([(customer.pk, f"{kind}.happened", subject, NOON, data)])[0]


def waiting(customer: User, *subjects: str, kind: str = "bill", now: datetime = NOON, **data: Any) -> list[Mail]:
    """Record an event for each subject, and return the mails that were made of them."""
    ids = [happened(customer, subject, kind, **data) for subject in subjects]
    fan_out.run(now=now)
    return list(Mail.objects.filter(events__overlap=ids).order_by("pk"))

"""The record of what staff did: `record` is the only code that writes it. Call it in the transaction of the act."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from django.db import connection
from django.db.models import Model, QuerySet
from django.utils.translation import override

from accounts.models import User
from core.ids import new_id
from core.rehearsal import Change
from events import act_titles
from events.models import StaffAct

# Acts of this kind have changed nothing.
READING = "view."


@dataclass(frozen=True, slots=True)
class Author:
    """Who acts, and from which address; None for a command."""

    user: User
    address: str | None = None


class Words(TypedDict, total=False):
    """What was said of an act: the reason that was given, and what came of it."""

    reason: str
    result: str


def record(
    kind: str, rows: Sequence[Model], *, author: Author, key: str = "", customer: User | None = None,
    changes: Iterable[Change] = (), **words: Unpack[Words],
) -> StaffAct:  # fmt: skip
    """Append an act on these rows, the main one first. It names them in English, whoever acts.

    Raises django.db.IntegrityError if an act with this key was recorded before.
    """
    with override("en"):
        subject = str(rows[0])[:200] if rows else ""
    return StaffAct.objects.create(
        key=key or new_id("key"), kind=kind, author=author.user, customer=customer,
        objects_touched=[label(row) for row in rows], subject=subject,
        title=act_titles.in_english(kind)[:200], reason=words.get("reason", "")[:300],
        result=words.get("result", "")[:500], address=author.address,
        changes=[list(change) for change in changes if change.is_change],
    )  # fmt: skip


def label(row: Model) -> str:
    """Return how a row is named in `objects_touched`."""
    return f"{row._meta.label_lower}:{row.pk}"


def of(row: Any) -> QuerySet[StaffAct]:
    """Return the acts on a row, the newest first."""
    return StaffAct.objects.filter(objects_touched__contains=[label(row)]).select_related("author").order_by("-id")


def find(key: str) -> StaffAct | None:
    """Return the act with this key."""
    return StaffAct.objects.filter(key=key).first()


def last(rows: Sequence[Model], customer: User | None) -> StaffAct | None:
    """Return the last act that has changed something about this customer; without one, about the first row."""
    acts = StaffAct.objects.filter(customer=customer) if customer else of(rows[0])
    return acts.exclude(kind__startswith=READING).order_by("-id").first()


def hold(rows: Sequence[Model], customer: User | None) -> None:
    """Let one act at a time happen to a customer, or to a row without one. Held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 11))", [label(customer or rows[0])])

"""Pages of a customer's log: the wallets' statements merged, newest first, at the same cost however far back."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan
from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.api.pages import CursorPages, InvalidCursor
from ledger import statements
from ledger.models import Transaction

ORDER = (F("effective_at"), F("id"))


class LogPages(CursorPages):
    """A cursor names a transaction; each wallet is asked only for what lies beyond it."""

    def page_of(self, wallet_ids: Sequence[int], request: Request, **filters: Any) -> list[Transaction]:
        """Return the page asked for. `filters` are those of ledger.statements. Raises InvalidCursor."""
        self.empty_detail = None
        self.base_url = request.build_absolute_uri()
        # As DRF itself makes it of the declared one.
        self.ordering = ("-id",)  # type: ignore[assignment]
        self.page_size = self.get_page_size(request)
        self.cursor = self.decode_cursor(request)
        back = self.cursor is not None and self.cursor.reverse
        edge = self._edge(wallet_ids)
        logs = (statements.transactions_of(each, **filters) for each in wallet_ids)
        found = [row for log in logs for row in self._beyond(log, edge, back=back)]
        found.sort(key=lambda row: (row.effective_at, row.pk), reverse=not back)
        more = len(found) > self.page_size
        self.page = sorted(found[: self.page_size], key=lambda row: (row.effective_at, row.pk), reverse=True)
        self.has_next, self.has_previous = (True, more) if back else (more, edge is not None)
        self.next_position = self.previous_position = str(edge.pk) if edge else None
        return self.page

    def _edge(self, wallet_ids: Sequence[int]) -> Transaction | None:
        """Return the transaction that the cursor names: one of the customer's own, or the cursor is not ours."""
        if self.cursor is None:
            return None
        edge = Transaction.objects.filter(wallet__in=wallet_ids, pk=int(self.cursor.position or 0)).first()
        if edge is None:
            raise InvalidCursor(_("This cursor was not given out here. Follow `next` or leave it out."))
        return edge

    def _beyond(self, log: QuerySet[Transaction], edge: Transaction | None, *, back: bool) -> QuerySet[Transaction]:
        if edge is not None:
            past = (TupleGreaterThan if back else TupleLessThan)(ORDER, (edge.effective_at, edge.pk))
            log = log.filter(past)
        order = ("effective_at", "id") if back else ("-effective_at", "-id")
        return log.order_by(*order)[: self.page_size + 1]

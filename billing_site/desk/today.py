"""The first page of the desk: what waits for staff, and whether the books and the gateways are in order."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing_site import ledger_checks
from billing_site.desk import backlog
from billing_site.desk.clearing import clearing
from core.dates import moment
from core.models import LedgerCheck
from payments.models import Payout


@dataclass(frozen=True, slots=True)
class Health:
    """The last check of the ledger. `state` is `ok`, `wrong`, `failed`, `old` or `none`."""

    state: str
    tone: str
    at: str = ""
    checks: int = 0
    wrong: int = 0
    pk: int | None = None


def context(request: HttpRequest, *, now: datetime) -> dict[str, object]:
    """Return what the first page shows to this member of staff: only what they may view."""
    sees_checks = admin.site.get_model_admin(LedgerCheck).has_view_permission(request)
    sees_payouts = admin.site.get_model_admin(Payout).has_view_permission(request)
    return {
        "title": _("Today"),
        "now_text": moment(now),
        "backlog": backlog.of(request, now=now),
        "most": backlog.MOST,
        "health": health(now=now) if sees_checks else None,
        "sees_payouts": sees_payouts,
        "sees_figures": request.user.has_perm("ledger.view_figures"),
        "sees_exports": request.user.has_perm("ledger.export_transaction"),
        "clearing": clearing(now=now) if sees_payouts else [],
    }


def health(*, now: datetime) -> Health:
    """Return the state of the ledger by its last check. One that is older than a night says nothing any more."""
    last = ledger_checks.last()
    if last is None:
        return Health("none", "warn")
    if last.error:
        state = "failed"
    elif last.wrong:
        state = "wrong"
    else:
        state = "old" if now - last.started_at > ledger_checks.OLDEST else "ok"
    tone = {"ok": "ok", "old": "warn"}.get(state, "bad")
    return Health(state, tone, moment(last.started_at), last.checks, last.wrong, last.pk)

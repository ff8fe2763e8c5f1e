"""The first page of the desk: what waits for staff, and whether the books and the gateways are in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from billing_site import ledger_checks
from billing_site.desk import backlog
from core.dates import day, moment
from core.models import LedgerCheck
from ledger import display
from ledger.money import Money
from payments import ageing
from payments.models import Payout

# Ageing reads every movement of a gateway, so it is worked out once in so many seconds.
AGEING_KEPT = 600
AGEING_KEY = "desk:ageing"
AGES = (_("0 to 2 days"), _("3 to 7 days"), _("8 to 30 days"), _("older"))


@dataclass(frozen=True, slots=True)
class Health:
    """The last check of the ledger. `state` is `ok`, `wrong`, `failed`, `old` or `none`."""

    state: str
    tone: str
    at: str = ""
    checks: int = 0
    wrong: int = 0
    pk: int | None = None


@dataclass(frozen=True, slots=True)
class Clearing:
    """What a gateway owes us: the balance, and its part in each of AGES, as texts."""

    gateway: str
    balance: str
    ages: Sequence[tuple[str, str]]
    # Whether something has been open for more than 30 days.
    is_old: bool
    # The oldest movements that are open: name, address, amount that is open, and day, as texts.
    oldest: Sequence[tuple[str, str, str, str]]


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


def clearing(*, now: datetime) -> list[Clearing]:
    """Return what each gateway owes us by age, at most AGEING_KEPT seconds old; accounts at zero are left out."""
    found: list[ageing.Ageing] = cache.get_or_set(AGEING_KEY, lambda: ageing.ageing(now=now), AGEING_KEPT) or []
    return [
        Clearing(
            each.gateway,
            display.money(each.balance),
            [
                (str(name), display.money(Money(amount, each.balance.currency)))
                for name, amount in zip(AGES, each.buckets, strict=True)
            ],
            bool(each.buckets[-1]),
            [
                (
                    row.name,
                    f"{reverse('admin:search')}?{urlencode({'q': row.name})}",
                    display.money(row.money),
                    day(row.at),
                )
                for row in each.oldest
            ],
        )
        for each in found
        if each.balance.amount or any(each.buckets)
    ]

"""What gateways owe us, by age: the numbers on the first page, and the page that lists what makes each of them up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from billing_site.desk.search import may_view
from core.dates import day, moment
from ledger import display
from ledger.models import Transaction
from ledger.money import Money
from payments import ageing
from payments.models import Payout

# Ageing reads every movement of a gateway, so it is worked out once in so many seconds. The list shows the same ones as
# the number that led to it.
KEPT = 600
KEY = "desk:clearing"
AGES = dict(zip(ageing.BUCKETS, (_("0 to 2 days"), _("3 to 7 days"), _("8 to 30 days"), _("older")), strict=True))


@dataclass(frozen=True, slots=True)
class Number:
    """A sum, with the address of its list."""

    name: str
    amount: str
    href: str


@dataclass(frozen=True, slots=True)
class Row:
    """A movement that is open, as texts, with the address of what it comes from."""

    name: str
    href: str
    at: str
    day: str
    amount: str
    whole: str
    transaction_id: int


@dataclass(frozen=True, slots=True)
class Clearing:
    """What a gateway owes us: the balance, and its part in each of AGES."""

    # Named after the gateway.
    balance: Number
    ages: Sequence[Number]
    # Whether something has been open for more than 30 days.
    is_old: bool
    oldest: Sequence[Row]


class ClearingForm(forms.Form):
    """Which account, such as `stripe:EUR`, and which age; all of them if it is left out."""

    account = forms.ChoiceField(label=_("Gateway"), required=False)
    age = forms.ChoiceField(label=_("Age"), choices=[("", _("All")), *AGES.items()], required=False)

    def __init__(self, data: Mapping[str, Any], *, accounts: Sequence[ageing.Ageing]) -> None:
        super().__init__(data)
        self.fields["account"].choices = [  # type: ignore[attr-defined]
            ("", _("All")), *((_code(each), f"{each.gateway}, {each.currency}") for each in accounts),
        ]  # fmt: skip


@require_safe
def clearing_view(request: HttpRequest) -> HttpResponse:
    """List what is open at the gateways, the oldest first; 400 with the error if a value of the form is unknown."""
    if not may_view(request, Payout):
        raise PermissionDenied
    accounts = _open(now=timezone.now())
    form = ClearingForm(request.GET, accounts=accounts)
    is_right = form.is_valid()
    account, age = (form.cleaned_data.get(name) for name in ("account", "age"))
    shown = [each for each in accounts if is_right and account in ("", _code(each))]
    parts = [part for each in shown for part in _parts(each, age or "")]
    context = {
        **admin.site.each_context(request), "title": _("Gateway clearing"), "form": form, "parts": parts,
        "sees_transactions": may_view(request, Transaction),
    }  # fmt: skip
    return TemplateResponse(request, "admin/desk/clearing.html", context, status=200 if is_right else 400)


def clearing(*, now: datetime) -> list[Clearing]:
    """Return what each gateway owes us by age, at most KEPT seconds old; accounts at zero are left out."""
    return [
        Clearing(
            _number(each, each.gateway, each.balance.amount),
            [
                _number(each, str(name), amount, age=age)
                for (age, name), amount in zip(AGES.items(), each.amounts, strict=True)
            ],
            bool(each.amounts[-1]),
            [_row(movement) for movement in each.oldest],
        )
        for each in _open(now=now)
    ]


def _open(*, now: datetime) -> list[ageing.Ageing]:
    """Return the accounts of which something is open."""
    found: list[ageing.Ageing] = cache.get_or_set(KEY, lambda: ageing.ageing(now=now), KEPT) or []
    return [each for each in found if any(bucket.count for bucket in each.buckets)]


def _parts(account: ageing.Ageing, chosen: str) -> list[dict[str, Any]]:
    """Return the chosen ages of an account, or all of them, the oldest first: heading, sum and rows of each."""
    ages = reversed(list(zip(AGES.items(), account.buckets, strict=True)))
    return [
        {
            "name": f"{account.gateway}, {account.currency}: {name}",
            "amount": display.money(Money(bucket.amount, account.currency)),
            "rows": [_row(movement) for movement in bucket.listed],
            "more": bucket.count - len(bucket.listed),
        }
        for (age, name), bucket in ages
        if chosen in ("", age) and bucket.count
    ]


def _number(account: ageing.Ageing, name: str, amount: int, **query: str) -> Number:
    address = f"{reverse('admin:clearing')}?{urlencode({'account': _code(account), **query})}"
    return Number(name, display.money(Money(amount, account.currency)), address)


def _row(movement: ageing.Movement) -> Row:
    return Row(
        movement.name,
        f"{reverse('admin:search')}?{urlencode({'q': movement.name})}",
        moment(movement.at),
        day(movement.at),
        display.money(movement.money),
        display.money(movement.whole),
        movement.transaction_id,
    )


def _code(account: ageing.Ageing) -> str:
    return f"{account.gateway}:{account.currency}"

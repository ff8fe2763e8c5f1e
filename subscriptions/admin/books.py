"""Admin for billing clocks: find books that need attention, preview what settling would post, and settle them."""

from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core import dates
from core.addresses import client_address
from core.admin import ReadOnlyAdmin
from core.ids import new_id
from core.rehearsal import NOTHING, Fact, Facts
from events.admin.chosen import ChosenPages
from events.admin.review import ActForm, Result, perform
from events.admin.trace import reason_field
from events.staff_acts import Author
from ledger.amounts_admin import currency_filter
from ledger.display import money
from ledger.labels import REASONS
from ledger.models import Transaction
from ledger.money import Money
from subscriptions import billing_run
from subscriptions.models import BillingClock

# Movements of a dry run that the page of a settling lists.
MOST_LINES = 20
# Books of one step of a settling of all: few enough that its page answers within seconds.
BATCH = 20


class Attention(admin.SimpleListFilter):
    """Filter the books that are due or need staff."""

    title = _("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices of the filter."""
        return [("parked", _("parked")), ("waiting", _("overdue, needs staff")), ("due", _("due now"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BillingClock]) -> QuerySet[BillingClock]:
        """Return the clocks that match the choice."""
        now = timezone.now()
        match self.value():
            case "parked":
                return queryset.exclude(parked_at=None)
            case "waiting":
                return queryset.filter(pk__in=billing_run.waiting(now).values("pk"))
            case "due":
                return queryset.filter(pk__in=billing_run.due(now).values("pk"))
        return queryset


class SettleForm(ActForm):
    """The settling of one book, however long overdue, with what it posts."""

    title, kind, permission = _("Settle"), "billingclock.settle", "subscriptions.change_billingclock"
    effect = _("Everything that is due up to now is charged. A book that cannot be settled stays parked.")

    reason = reason_field()
    # What became of the book.
    run = billing_run.Run()

    @classmethod
    def obstacle(cls, row: BillingClock) -> str:
        """Return why there is nothing to settle."""
        return "" if _is_open(row, timezone.now()) else gettext("Nothing is due in this book.")

    def facts(self, *, now: datetime) -> Facts:
        """Return the state and the balance of the book, and what settling it would post."""
        clock = BillingClock.objects.select_related("wallet").get(pk=self.row.pk)
        balance = money(Money(clock.wallet.balance or 0, clock.wallet.currency))
        moments = (("settled", gettext("Settled"), clock.settled_at), ("due", gettext("Due"), clock.due_at))
        facts = {key: Fact(name, dates.moment(at) if at else NOTHING) for key, name, at in moments}
        facts["parked"] = Fact(gettext("Parked"), clock.parked_reason[:300] or NOTHING)
        facts["balance"] = Fact(gettext("Balance of the customer"), balance)
        try:
            with transaction.atomic():
                lines = billing_run.dry_run(clock.wallet_id, now)
        except Exception as error:  # noqa: BLE001 - a broken book is what staff come here to see
            return facts | {"dry run": Fact(gettext("would be charged now"), f"{type(error).__name__}: {error}"[:300])}
        facts["dry run"] = Fact(gettext("Movements that are due"), str(len(lines)))
        for number, line in enumerate(lines[:MOST_LINES]):
            name = f"{dates.moment(line.at)} · {REASONS[Transaction.Reason(line.reason)]} · {line.subscription}"
            facts[f"line {number}"] = Fact(name, money(Money(line.amount, line.currency)))
        return facts

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Settle the book or park it, or find that nothing is due any more."""
        if not _is_open(BillingClock.objects.get(pk=self.row.pk), now):
            return Result(gettext("Nothing is due in this book."), is_news=False)
        self.run = billing_run.settle_alone(self.row.pk, now)
        return Result(_said(self.run))


def _is_open(clock: BillingClock, now: datetime) -> bool:
    return clock.parked_at is not None or (clock.due_at is not None and clock.due_at <= now)


def _said(run: billing_run.Run) -> str:
    said = gettext("Balances billed: %(books)d. Charges made: %(charges)d. Parked: %(parked)d.")
    return said % {"books": run.books, "charges": run.charges, "parked": run.parked}


class SettleAllForm(forms.Form):
    """The settling of all books that were parked or overdue when the page was opened."""

    reason = reason_field()
    form_key = forms.CharField(max_length=40, widget=forms.HiddenInput)
    # Books that are parked after this instant have been tried.
    since = forms.DateTimeField(widget=forms.HiddenInput, input_formats=["%Y-%m-%dT%H:%M:%S.%f%z"])
    # How many there were when the page was opened, for the progress.
    count = forms.IntegerField(required=False, min_value=0, max_value=10**9, widget=forms.HiddenInput)


def left_of(since: datetime, now: datetime) -> QuerySet[BillingClock]:
    """Return the books that were parked before `since`, and those that have been overdue for too long."""
    overdue = billing_run.waiting(now).order_by().values("pk")
    return BillingClock.objects.filter(Q(parked_at__lt=since) | Q(pk__in=overdue)).order_by("pk")


@admin.register(BillingClock)
class BookAdmin(ChosenPages, ReadOnlyAdmin):
    """The billing clock of each wallet. A book that is parked or overdue for too long waits for staff."""

    list_display = ["wallet", "customer", "balance", "settled_at", "due_at", "parked_at", "parked_reason"]
    list_filter = [Attention, currency_filter("wallet__currency")]
    list_select_related = ["wallet__owner"]
    search_help_text = _("The customer's user name or email")
    search_fields = ["wallet__owner__username", "wallet__owner__email"]
    ordering = ["-wallet"]
    readonly_fields = ["dry_run"]
    acts = {"settle": SettleForm}
    bulk = ["settle"]
    change_list_template = "admin/subscriptions/books.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillingClock]:
        """Read the wallet and its owner with each clock."""
        return super().get_queryset(request).select_related("wallet__owner", "customer")

    @admin.display(description=_("balance"))
    def balance(self, clock: BillingClock) -> str:
        """Return the balance of the wallet."""
        return money(Money(clock.wallet.balance or 0, clock.wallet.currency))

    @admin.display(description=_("would be charged now"))
    def dry_run(self, clock: BillingClock) -> str:
        """Return a table of the movements that settling would post now, or the error that prevents it."""
        try:
            lines = billing_run.dry_run(clock.wallet_id, timezone.now())
        except Exception as error:  # noqa: BLE001 - a broken book is what staff come here to see
            return f"{type(error).__name__}: {error}"
        return render_to_string("admin/subscriptions/dry_run.html", {"lines": lines})

    def get_urls(self) -> list[URLPattern]:
        """Add the page that settles all parked and overdue books."""
        page = path(
            "settle-all/", self.admin_site.admin_view(self.settle_all), name="subscriptions_billingclock_settle_all"
        )
        return [page, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, with a link to the page for those who may settle."""
        return super().changelist_view(
            request, (extra_context or {}) | {"may_settle": self.may_act(request, SettleForm)}
        )

    def settle_all(self, request: HttpRequest) -> HttpResponse:
        """Settle the next BATCH of the parked and overdue books, and say how many of how many are done."""
        if not self.may_act(request, SettleForm):
            raise PermissionDenied
        now = timezone.now()
        sent = request.POST or None
        form = SettleAllForm(sent, initial={"form_key": new_id("form"), "since": now.isoformat()})
        since, total, count = now, None, 0
        if sent and form.is_valid():
            since, count = form.cleaned_data["since"], form.cleaned_data["count"] or 0
            total = self._settle_batch(request, form, now)
        left = left_of(since, now).count()
        form.initial["count"] = count = max(count, left)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": _("Settle parked and overdue books"),
            "form": form, "left": left, "count": count, "settled": count - left, "batch": BATCH,
            "done": _said(total) if total else "", "goes_on": bool(left and total and total.books + total.parked),
            "books": left_of(since, now).select_related("wallet__owner")[:BATCH],
        }  # fmt: skip
        return TemplateResponse(request, "admin/subscriptions/settle_all.html", context)

    def _settle_batch(self, request: HttpRequest, form: SettleAllForm, now: datetime) -> billing_run.Run:
        """Settle and record each book in its own transaction; another person may be doing the same."""
        author, total = Author(cast(User, request.user), client_address(request)), billing_run.Run()
        for clock in left_of(form.cleaned_data["since"], now).select_related("wallet__owner", "customer")[:BATCH]:
            key = f"{form.cleaned_data['form_key']}-{clock.pk}"
            act = SettleForm({"reason": form.cleaned_data["reason"], "form_key": key}, row=clock)
            if act.is_valid() and perform(act, author=author, now=now).is_news:
                total += act.run
        return total

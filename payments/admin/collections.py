"""Read-only admin of collections, of the schedule ahead, and of consents; staff may stop a collection."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.admin import ReadOnlyAdmin, ReadOnlyMixin
from core.errors import DomainError
from core.list_filters import present
from core.rehearsal import NOTHING, Fact, Facts
from events.admin.chosen import ChosenPages
from events.admin.review import ActAdmin, ActForm, Result
from events.admin.trace import reason_field
from ledger import display
from ledger.amounts_admin import AmountMixin, currency_filter
from ledger.money import Money
from payments.admin.lists import AmountInline, StatusAdmin
from payments.collection import plans, states
from payments.models import AutoTopUp, Collection, CollectionDecision, CollectionPlan, Consent, Payment
from subscriptions.admin import facts as customer_facts

# How many decisions the page of a plan shows.
LAST_DECISIONS = 20


class AttemptInline(AmountInline):
    """The attempts of a collection: payments that charge a saved method."""

    model = Payment
    fk_name = "collection"
    fields = ["public_id", "status", "amount_shown", "method", "decline", "failure_code", "created_at"]
    readonly_fields = ["public_id", "amount_shown", "method", "decline"]


class DecisionInline(ReadOnlyMixin, admin.TabularInline):
    """Why a collection was tried or not, the newest first."""

    model = CollectionDecision
    extra = 0
    ordering = ["-id"]
    # The name of each row is its line.
    fields = ["at", "outcome"]


class StopForm(ActForm):
    """The end of a collection for good."""

    title = _("Stop collecting")
    kind = "collection.stop"
    effect = _("Nothing more is charged for it. An attempt that is at its gateway already still ends there.")

    reason = reason_field()

    @classmethod
    def obstacle(cls, row: Collection) -> str:
        """Return why there is nothing to stop."""
        words = {"state": row.get_status_display()}
        return "" if row.status in states.OPEN else gettext("This collection has ended: %(state)s.") % words

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Stop the collection, or find that it is stopped. Raises DomainError if it has ended in another way."""
        was_open = Collection.objects.filter(pk=self.row.pk, status__in=states.OPEN).exists()
        stopped = states.end(self.row.pk, Collection.Status.STOPPED, states.STOPPED_BY_STAFF, now=now)
        if stopped.status != Collection.Status.STOPPED:
            raise DomainError(self.obstacle(stopped))
        words = {"id": stopped, "state": stopped.get_status_display()}
        return Result(gettext("%(id)s is now %(state)s.") % words, was_open and stopped.ended_at == now)

    def facts(self, *, now: datetime) -> Facts:
        """Return the state of the collection and of its customer."""
        row = Collection.objects.select_related("customer").get(pk=self.row.pk)
        next_at = display.moment(row.next_at) if row.next_at else NOTHING
        facts = {
            "collection": Fact(gettext("Collection"), row.get_status_display()),
            "amount": Fact(gettext("Amount"), display.money(row.money) if row.amount else NOTHING),
            "next": Fact(gettext("Next try"), next_at),
        }
        return facts | customer_facts.of_customer(row.customer, row.currency, now=now)


@admin.register(Collection)
class CollectionAdmin(ActAdmin, AmountMixin, StatusAdmin):
    """Money that is collected from saved methods, with the attempts and the decisions."""

    acts = {"stop": StopForm}
    list_display = [
        "public_id", "customer", "amount_shown", "status_tag", "kind", "due_at", "next_at", "declines", "reason",
    ]  # fmt: skip
    list_filter = ["status", "kind", currency_filter(), "created_at"]
    list_select_related = ["customer"]
    search_fields = ["=public_id", "customer__username", "customer__email"]
    search_help_text = _("Id of the collection, or the customer's name or email")
    fields = [
        "public_id", "customer", "amount_shown", "status_tag", "kind", "cause", "subscriptions", "due_at", "next_at",
        "declines", "declined_at", "reason", "created_at", "updated_at", "ended_at",
    ]  # fmt: skip
    readonly_fields = ["amount_shown", "status_tag"]
    inlines = [AttemptInline, DecisionInline]
    actions = None

    @admin.display(description=_("amount"))
    def amount_shown(self, row: Collection) -> str:
        """Return the amount; a dash as long as nothing was charged, because it is worked out then."""
        return _amount(row.amount or None, row.currency)


class LookAgainForm(ActForm):
    """The look at a wallet in the next run, whenever it was planned."""

    title, kind, permission = _("Look again"), "collectionplan.look_again", "payments.change_collectionplan"
    effect = _("The next run looks at this balance, also if it waits for staff. It charges only what is due.")

    reason = reason_field()

    def facts(self, *, now: datetime) -> Facts:
        """Return when it is looked at, and what has failed."""
        plan = CollectionPlan.objects.get(pk=self.row.pk)
        return {
            "next": Fact(gettext("Next look"), display.moment(plan.check_at) if plan.check_at else NOTHING),
            "failures": Fact(gettext("Failures"), str(plan.failures), quiet=True),
            "parked": Fact(gettext("Why it waits for staff"), plan.parked_reason[:300] or NOTHING),
        }

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Make it due."""
        plans.look_again([self.row.pk], now=now)
        return Result(gettext("The next run looks at it."))


@admin.register(CollectionPlan)
class CollectionPlanAdmin(ChosenPages, ReadOnlyAdmin):
    """When each wallet is looked at next, and the last decision about it."""

    list_display = ["wallet", "customer", "check_at", "last_decision", "failures", "parked_reason"]
    list_filter = [present("parked_reason", _("waits for staff"))]
    list_select_related = ["customer", "wallet"]
    ordering = ["check_at"]
    search_fields = ["customer__username", "customer__email"]
    search_help_text = _("The customer's name or email")
    fields = ["wallet", "customer", "check_at", "checks", "failures", "parked_reason", "decisions"]
    readonly_fields = ["decisions"]
    acts = {"look-again": LookAgainForm}
    bulk = ["look-again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CollectionPlan]:
        """Return the rows with the line of the last decision."""
        last = CollectionDecision.objects.filter(wallet=OuterRef("pk")).order_by("-id")
        rows: QuerySet[CollectionPlan] = super().get_queryset(request)
        return rows.annotate(line=Subquery(last.values("line")[:1]))

    @admin.display(description=_("last decision"))
    def last_decision(self, row: Any) -> str:
        """Return the line of the last decision about this wallet."""
        return row.line or "-"

    @admin.display(description=_("decisions"))
    def decisions(self, row: CollectionPlan) -> str:
        """Return the lines of the last decisions about this wallet, the newest first."""
        last = CollectionDecision.objects.filter(wallet=row.pk).order_by("-id")[:LAST_DECISIONS]
        lines = [(display.moment(each.at), each.line) for each in last]
        return format_html_join("", "<p>{}: {}</p>", lines) or "-"


@admin.register(AutoTopUp)
class AutoTopUpAdmin(ReadOnlyAdmin):
    """Customers' rules for automatic top-ups, and why we have stopped one."""

    list_display = [
        "public_id", "customer", "threshold_shown", "amount_shown", "days_ahead", "monthly_cap_shown", "created_at",
        "ended_at", "stopped_at", "stopped_reason",
    ]  # fmt: skip
    fields = [
        "public_id", "customer", "currency", "consent", "threshold_shown", "amount_shown", "days_ahead",
        "monthly_cap_shown", "created_at", "ended_at", "stopped_at", "stopped_reason", "capped_at",
    ]  # fmt: skip
    readonly_fields = ["public_id", "threshold_shown", "amount_shown", "monthly_cap_shown"]
    list_filter = [present("stopped_at", _("stopped by us")), present("ended_at", _("ended")), currency_filter()]
    list_select_related = ["customer"]
    search_fields = ["=public_id", "customer__username", "customer__email"]
    search_help_text = _("The customer's name or email")
    actions = None

    @admin.display(description=_("threshold"), ordering="threshold")
    def threshold_shown(self, rule: AutoTopUp) -> str:
        """Return the amount below which the balance is topped up."""
        return _amount(rule.threshold, rule.currency)

    @admin.display(description=_("amount"), ordering="amount")
    def amount_shown(self, rule: AutoTopUp) -> str:
        """Return the amount of each top-up."""
        return _amount(rule.amount, rule.currency)

    @admin.display(description=_("monthly limit"), ordering="monthly_cap")
    def monthly_cap_shown(self, rule: AutoTopUp) -> str:
        """Return the most in a calendar month."""
        return _amount(rule.monthly_cap, rule.currency)


def _amount(amount: int | None, currency: str) -> str:
    """Return an amount in minor units with its currency; a dash for none."""
    return "-" if amount is None else display.money(Money(amount, currency))


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """What customers have agreed to, with the words that they saw."""

    list_display = ["public_id", "customer", "method", "purpose", "given_at", "withdrawn_at", "version", "address"]
    list_filter = ["purpose", present("withdrawn_at", _("withdrawn")), "given_at"]
    list_select_related = ["customer", "method"]
    search_fields = ["=public_id", "customer__username", "customer__email"]
    search_help_text = _("Id of the consent, or the customer's name or email")
    actions = None

"""Adjustments that staff have asked for, and the decisions of a second person about those that wait."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.lists import link_to
from core.rehearsal import Fact, Facts
from events.admin.review import ActAdmin, ActForm, Result
from events.admin.trace import reason_field
from ledger.amounts_admin import AmountMixin, currency_filter
from ledger.display import money
from ledger.models import Transaction
from payments import adjustments
from payments.admin.adjustments import sentence
from payments.admin.lists import StatusAdmin
from payments.models import Adjustment
from subscriptions.admin import facts as customer_facts

Status = Adjustment.Status


class DecisionForm(ActForm):
    """A decision about an adjustment that waits."""

    permission = "payments.approve_adjustment"

    reason = reason_field()

    @classmethod
    def obstacle(cls, row: Adjustment) -> str:
        """Return why there is nothing to decide."""
        return "" if row.status == Status.WAITING else gettext("This adjustment does not wait for a decision.")

    @property
    def adjustment(self) -> Adjustment:
        """The adjustment as it was when the page was asked for."""
        row: Adjustment = self.row
        return row

    def facts(self, *, now: datetime) -> Facts:
        """Return what was asked for, its status, and the state of the customer."""
        row = Adjustment.objects.select_related("customer", "asked_by").get(pk=self.adjustment.pk)
        asked = f"{row.get_kind_display()} {money(row.money)}"
        return {
            "adjustment": Fact(gettext("Asked for"), asked),
            "author": Fact(gettext("Asked by"), str(row.asked_by)),
            "reason": Fact(gettext("The customer reads"), row.reason),
            "status": Fact(gettext("Status"), row.get_status_display()),
        } | customer_facts.of_customer(row.customer, row.currency, now=now)

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Take the decision."""
        return Result(sentence(self.decide(by, self.cleaned_data["reason"], now=now)))

    def decide(self, by: User, reason: str, *, now: datetime) -> Adjustment:
        """Call the domain and return the adjustment."""
        raise NotImplementedError


class ApproveForm(DecisionForm):
    """The approval by a second person, which moves the money."""

    title = _("Approve")
    kind = "adjustment.approve"
    effect = _("It is carried out at once. You must not be the one who asked for it.")

    def decide(self, by: User, reason: str, *, now: datetime) -> Adjustment:
        """Approve it."""
        return adjustments.approve(self.adjustment, by=by, reason=reason, now=now)


class DeclineForm(DecisionForm):
    """The refusal by a second person."""

    title = _("Decline")
    kind = "adjustment.decline"
    effect = _("Nothing is moved, and it cannot be approved any more.")

    def decide(self, by: User, reason: str, *, now: datetime) -> Adjustment:
        """Decline it."""
        return adjustments.decline(self.adjustment, by=by, reason=reason, now=now)


class WithdrawForm(DecisionForm):
    """The withdrawal by the one who asked for it."""

    title = _("Withdraw")
    kind, permission = "adjustment.withdraw", "payments.add_adjustment"
    effect = _("Nothing is moved. Only the one who asked for it can withdraw it.")

    def decide(self, by: User, reason: str, *, now: datetime) -> Adjustment:
        """Withdraw it."""
        return adjustments.withdraw(self.adjustment, by=by, reason=reason, now=now)


@admin.register(Adjustment)
class AdjustmentAdmin(ActAdmin, AmountMixin, StatusAdmin):
    """Adjustments, with the pages of the decisions about those that wait. They are made on the page of a customer."""

    acts = {"approve": ApproveForm, "decline": DeclineForm, "withdraw": WithdrawForm}
    list_display = [
        "public_id", "customer_link", "kind", "amount_shown", "status_tag", "reason", "asked_by", "created_at",
    ]  # fmt: skip
    list_filter = ["status", "kind", currency_filter()]
    list_select_related = ["customer", "asked_by"]
    search_fields = ["=public_id", "customer__username", "customer__email"]
    search_help_text = _("Id of the adjustment, or the customer's name or email")
    actions = None
    fields = [
        "public_id", "customer_link", "kind", "amount_shown", "status_tag", "reason", "asked_by", "created_at",
        "needs_approval", "decided_by", "decided_at", "decision_reason", "transaction_link",
    ]  # fmt: skip
    readonly_fields = ["customer_link", "transaction_link", "amount_shown", "status_tag"]

    @admin.display(description=_("customer"))
    def customer_link(self, row: Adjustment) -> str:
        """Return a link to the customer."""
        return link_to(row.customer)

    @admin.display(description=_("transaction"))
    def transaction_link(self, row: Adjustment) -> str:
        """Return a link to the transaction; empty if nothing was moved."""
        moved = Transaction.objects.filter(key=adjustments.key_of(row)).first()
        if moved is None:
            return ""
        url = reverse("admin:ledger_transaction_change", args=[moved.pk])
        return format_html('<a href="{}">{}</a>', url, moved.key)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Add the decisions that the reader may take, each a link to its review page."""

        @admin.display(description=_("decide"))
        def decide(row: Adjustment) -> str:
            links = ((href, row.public_id, title, title) for title, href in self.links(request, row))
            return format_html_join(" ", '<a class="act" href="{}" aria-label="{}: {}">{}</a>', links)

        may_decide = any(self.may_act(request, form) for form in self.acts.values())
        return [*super().get_list_display(request), *([decide] if may_decide else [])]

    def links(self, request: HttpRequest, row: Adjustment) -> list[tuple[str | Promise, str]]:
        """Return the decisions that this member of staff may take: their own are only to withdraw."""
        own = row.asked_by_id == request.user.pk
        return [link for link in super().links(request, row) if (link[0] == WithdrawForm.title) is own]

"""Admin of the comparison with gateways, with mending where that is safe, and of their payouts."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin, ReadOnlyMixin
from core.list_filters import present
from events.admin.review import ActAdmin
from ledger.amounts_admin import AmountMixin, currency_filter
from payments import remedies
from payments.admin.lists import gateway_filter, link_to_payment
from payments.admin.repairs import ADVICE, MendForm
from payments.models import Discrepancy, GatewayReport, Payout
from payments.remedies import Remedy


class DiscrepancyRows(BaseInlineFormSet):
    """The discrepancies of a report, with what their remedies depend on."""

    def get_queryset(self) -> Any:
        """Return the rows with the payments that we have learned of since."""
        rows = super().get_queryset()
        remedies.learn(rows)
        return rows


class DiscrepancyInline(ReadOnlyMixin, admin.TabularInline):
    """What a report found, on its page, with a link to the act for what is safe to mend."""

    model = Discrepancy
    formset = DiscrepancyRows
    readonly_fields = ["payment_link", "advice", "to_do"]
    ordering = ["is_mended", "id"]
    extra = 0
    show_change_link = True

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the links out for those who may not mend."""
        last = "to_do" if self.has_act_permission(request) else "advice"
        return ["kind", "gateway_id", "payment_link", "ours", "theirs", "is_mended", "outcome", "mended_by", last]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Discrepancy]:
        """Read what the column of remedies needs with the rows."""
        return super().get_queryset(request).select_related("report", "payment", "mended_by")

    @admin.display(description=_("payment"))
    def payment_link(self, row: Discrepancy) -> str:
        """Return a link to our payment."""
        return link_to_payment(row.payment)

    @admin.display(description=_("what to do"))
    def advice(self, row: Discrepancy) -> str:
        """Return what can be done."""
        return str(ADVICE[remedies.of(row)])

    @admin.display(description=_("what to do"))
    def to_do(self, row: Discrepancy) -> SafeString | str:
        """Return what staff can do, with a link where mending is safe."""
        if remedies.of(row) is not Remedy.ASK:
            return self.advice(row)
        url = reverse("admin:payments_discrepancy_mend", args=[row.pk])
        return format_html('{} <a class="act" href="{}">{}</a>', self.advice(row), url, MendForm.title)


@admin.register(GatewayReport)
class GatewayReportAdmin(ReadOnlyAdmin):
    """The daily reports. One that is not complete could not ask its gateway about everything."""

    list_display = [
        "started_at", "gateway", "since", "until", "is_complete", "payments_there", "payments_here", "refunds_there",
        "disputes_there", "mended", "left", "fees_posted", "payouts_posted",
    ]  # fmt: skip
    list_filter = [gateway_filter(), "started_at"]
    inlines = [DiscrepancyInline]

    @admin.display(description=_("complete"), boolean=True)
    def is_complete(self, report: GatewayReport) -> bool:
        """Return whether all lists of the gateway were complete."""
        return report.is_complete


@admin.register(Discrepancy)
class DiscrepancyAdmin(ActAdmin):
    """What we and a gateway say different things about. Rows that are not mended wait for staff."""

    list_display = [
        "report", "subject", "kind", "gateway_id", "payment", "ours", "theirs", "is_mended", "outcome", "mended_by",
    ]  # fmt: skip
    list_filter = ["is_mended", "subject", "kind", gateway_filter("report__gateway")]
    search_fields = ["=gateway_id", "=payment__public_id"]
    search_help_text = _("Id of the payment, or the gateway's id of the payment, refund or dispute")
    list_select_related = ["report", "payment", "mended_by"]
    readonly_fields = ["to_do"]
    acts = {"mend": MendForm}

    @admin.display(description=_("what to do"))
    def to_do(self, row: Discrepancy) -> str:
        """Return what staff can do."""
        return str(ADVICE[remedies.of(row)])


@admin.register(Payout)
class PayoutAdmin(AmountMixin, ReadOnlyAdmin):
    """What gateways have sent to the bank account."""

    list_display = ["gateway_id", "gateway", "amount_shown", "arrived_at", "is_paid", "is_by_hand"]
    list_filter = [
        gateway_filter(),
        currency_filter(),
        present("returned_at", _("sent back by the bank")),
        "arrived_at",
    ]
    search_fields = ["=gateway_id", "=public_id"]
    search_help_text = _("The gateway's id, or the reference on the bank statement")
    exclude = ["amount", "currency"]
    readonly_fields = ["amount_shown"]

    @admin.display(description=_("paid"), boolean=True, ordering="returned_at")
    def is_paid(self, payout: Payout) -> bool:
        """Return whether the bank has not sent it back."""
        return payout.is_paid

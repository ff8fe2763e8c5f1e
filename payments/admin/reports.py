"""Admin of the comparison with gateways, with one-click mending where that is safe, and of their payouts."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.admin import ReadOnlyAdmin, ReadOnlyMixin
from core.list_filters import present
from ledger.amounts_admin import AmountMixin, currency_filter
from payments import remedies
from payments.admin.lists import gateway_filter, link_to_payment
from payments.models import Discrepancy, GatewayReport, Payout
from payments.remedies import Remedy

# What staff read about each remedy.
ADVICE = {
    Remedy.NOTHING: "",
    Remedy.ASK: _("Ask the gateway again and take over its answer. If that mends nothing, see the outcome."),
    Remedy.DECIDE: _("Open the payment and accept what was taken, or send it back."),
    Remedy.CORRECT: _(
        "Compare with the gateway's page of the payment. If what we have booked is wrong, correct the balance."
    ),
    Remedy.FIND_PAYER: _(
        "Find out who paid. Credit the customer by a correction, or refund on the gateway's pages. Nothing is to be "
        "done if another shop uses the same account."
    ),
    Remedy.REFUND_THERE: _("The customer has paid twice. Refund this payment on the gateway's pages."),
    Remedy.FIND_MONEY: _("The gateway has given this payment no id, so it cannot be asked. Look for it on its pages."),
}


class DiscrepancyRows(BaseInlineFormSet):
    """The discrepancies of a report, with what their remedies depend on."""

    def get_queryset(self) -> Any:
        """Return the rows with the payments that we have learned of since."""
        rows = super().get_queryset()
        remedies.learn(rows)
        return rows


class DiscrepancyInline(ReadOnlyMixin, admin.TabularInline):
    """What a report found, on its page, with a button for what is safe to mend at one click."""

    model = Discrepancy
    formset = DiscrepancyRows
    readonly_fields = ["payment_link", "advice", "to_do"]
    ordering = ["is_mended", "id"]
    extra = 0
    show_change_link = True

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the buttons out for those who may not mend."""
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
        """Return what staff can do, with a button where one click is safe."""
        if remedies.of(row) is not Remedy.ASK:
            return self.advice(row)
        # The page of the report is one form, which this button sends to another address.
        url = reverse("admin:payments_discrepancy_mend", args=[row.pk])
        button = '<button class="mend" formaction="{}" formmethod="post" name="from" value="report">{}</button>'
        return format_html("{} " + button, self.advice(row), url, _("Mend"))


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
class DiscrepancyAdmin(ReadOnlyAdmin):
    """What we and a gateway say different things about. Rows that are not mended wait for staff."""

    list_display = [
        "report", "subject", "kind", "gateway_id", "payment", "ours", "theirs", "is_mended", "outcome", "mended_by",
    ]  # fmt: skip
    list_filter = ["is_mended", "subject", "kind", gateway_filter("report__gateway")]
    search_fields = ["=gateway_id", "=payment__public_id"]
    search_help_text = _("Id of the payment, or the gateway's id of the payment, refund or dispute")
    list_select_related = ["report", "payment", "mended_by"]
    readonly_fields = ["to_do"]
    change_form_template = "admin/payments/discrepancy.html"

    @admin.display(description=_("what to do"))
    def to_do(self, row: Discrepancy) -> str:
        """Return what staff can do."""
        return str(ADVICE[remedies.of(row)])

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the button."""
        mend = path("<int:pk>/mend/", self.admin_site.admin_view(self.mend), name="payments_discrepancy_mend")
        return [mend, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Render the page with the button, where one click is safe."""
        row = options.get("obj")
        is_safe = row is not None and self.has_act_permission(request) and remedies.of(row) is Remedy.ASK
        return super().render_change_form(request, context | {"is_safe": is_safe}, *args, **options)

    def mend(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Mend a discrepancy if that is safe, log it, and say what came of it."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = get_object_or_404(Discrepancy.objects.select_related("report", "payment"), pk=pk)
        was_mended, row = row.is_mended, remedies.mend(row, by=cast(User, request.user), now=timezone.now())
        if row.is_mended and not was_mended:
            self.log_change(request, row, row.outcome)
        said = row.outcome or str(ADVICE[remedies.of(row)])
        self.message_user(request, said, messages.SUCCESS if row.is_mended else messages.WARNING)
        page = ("gatewayreport", row.report_id) if request.POST.get("from") == "report" else ("discrepancy", pk)
        return HttpResponseRedirect(reverse(f"admin:payments_{page[0]}_change", args=[page[1]]), status=303)


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

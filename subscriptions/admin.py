"""Staff's view of what is sold and who has it. State is to be read; prices change by a new version, not by an edit."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.errors import DomainError
from ledger.admin import ReadOnly
from ledger.display import money
from ledger.money import Money
from subscriptions import billing_run, books, prices
from subscriptions.models import Book, Charge, Plan, Price, Subscription
from subscriptions.wording import STATUSES, every

CHARGES_SHOWN = 50
TERMS = tuple(prices.Terms.__annotations__)


class Lines(forms.CharField):
    """A list of short lines, one a line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        """Show the list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Read the lines as a list."""
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as lists."""
        return bool((initial or []) != self.to_python(data))


class PlanForm(forms.ModelForm):
    """The features are edited as lines, and kept as a list."""

    features = Lines(required=False, help_text=_("One a line."))
    features_ru = Lines(required=False, label=_("features in Russian"), help_text=_("One a line."))


class PriceInline(admin.TabularInline):
    """All versions of all prices of a plan, to be read."""

    model = Price
    fields = ["version_link", "amount_shown", "metered", "trial_days", "grace_days", "archived_at"]
    readonly_fields = ["version_link", "amount_shown", "metered", "trial_days", "grace_days", "archived_at"]
    ordering = ["currency", "-version"]
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here: prices are added on their own page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    @admin.display(description=_("version"))
    def version_link(self, price: Price) -> str:
        """Return a link to the price."""
        url = reverse("admin:subscriptions_price_change", args=[price.pk])
        return format_html('<a href="{}">{} v{}</a>', url, price.currency, price.version)

    @admin.display(description=_("amount"))
    def amount_shown(self, price: Price) -> str:
        """Return the amount with how often it comes round."""
        return f"{money(price.money)} {every(price)}"


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin):
    """What is sold. A plan that was ever sold is hidden, not deleted."""

    form = PlanForm
    list_display = ["name", "code", "current_prices", "position", "is_public", "is_highlighted"]
    search_fields = ["name", "code"]
    list_filter = ["is_public"]
    inlines = [PriceInline]
    prepopulated_fields = {"code": ["name"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        """Read the prices with the plans."""
        return super().get_queryset(request).prefetch_related("prices")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a plan that nothing hangs on."""
        return super().has_delete_permission(request, obj) and obj is not None and not obj.prices.exists()

    @admin.display(description=_("prices"))
    def current_prices(self, plan: Plan) -> str:
        """Return what it costs now, in each currency."""
        current = [price for price in plan.prices.all() if price.archived_at is None]
        return " · ".join(f"{money(price.money)} {every(price)}" for price in current)


class PriceForm(forms.ModelForm):
    """A first version, or one nobody has had yet."""

    def clean(self) -> dict[str, Any]:
        """Point to the new version where there is a price already."""
        good: dict[str, Any] = super().clean() or {}
        plan, currency = good.get("plan"), good.get("currency")
        if self.instance.pk is None and Price.objects.filter(plan=plan, currency=currency, archived_at=None).exists():
            raise forms.ValidationError(_("The plan has a price in this currency. Open it and make a new version."))
        return good


class NewVersionForm(forms.ModelForm):
    """The terms of the version that takes a price's place. That they go together is checked when it is made."""

    class Meta:
        model = Price
        fields = TERMS

    def _post_clean(self) -> None:
        """Leave the model's checks to prices.new_version: plan, currency and version are its business."""


@admin.register(Price)
class PriceAdmin(admin.ModelAdmin):
    """Versions of prices. One that somebody has had never changes: a new version takes its place."""

    list_display = ["__str__", "plan", "currency", "amount_shown", "version", "is_current", "used_at"]
    list_filter = ["plan", "currency", ("archived_at", admin.EmptyFieldListFilter)]
    list_select_related = ["plan"]
    ordering = ["plan__position", "currency", "-version"]
    form = PriceForm
    change_form_template = "admin/subscriptions/price.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Price | None = None) -> list[str]:
        """A price in use, or of the past, is only shown; of any other, plan and currency stay what they are."""
        if obj is None:
            return []
        stays = ["plan", "currency", "version", "used_at", "archived_at"]
        return [*stays, *TERMS] if obj.used_at or obj.archived_at else stays

    def get_fields(self, request: HttpRequest, obj: Price | None = None) -> list[Any]:
        """Add what the system knows of a price that exists."""
        return ["plan", "currency", *TERMS, *(("version", "used_at", "archived_at") if obj else ())]

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the new version."""
        new = path(
            "<int:pk>/new-version/", self.admin_site.admin_view(self.new_version), name="subscriptions_price_new"
        )
        return [new, *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: a price is archived by the version that follows."""
        return False

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        """A price of a plan begins with version 1, through the same function as everything else that prices."""
        if change:
            super().save_model(request, obj, form, change)
            return
        terms = {name: form.cleaned_data[name] for name in TERMS}
        made = prices.first_version(obj.plan, now=timezone.now(), currency=obj.currency, **terms)
        obj.pk, obj.version = made.pk, made.version
        obj._state.adding = False

    def new_version(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put the next version on sale: show its terms, then do it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        price = get_object_or_404(Price.objects.select_related("plan"), pk=pk)
        form = NewVersionForm(request.POST or None, instance=Price(**_terms(price)))
        if request.method == "POST" and (made := self._versioned(request, price, form)):
            return HttpResponseRedirect(reverse("admin:subscriptions_price_change", args=[made.pk]), status=303)
        context = {**self.admin_site.each_context(request), "title": _("New version"), "price": price, "form": form}
        return TemplateResponse(request, "admin/subscriptions/new_version.html", context | {"opts": self.opts})

    def _versioned(self, request: HttpRequest, price: Price, form: NewVersionForm) -> Price | None:
        if not form.is_valid():
            return None
        try:
            made = prices.new_version(price, now=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, error.detail)
            return None
        self.message_user(request, _("Version %d is on sale. Who has an older one keeps it.") % made.version)
        return made

    @admin.display(description=_("amount"))
    def amount_shown(self, price: Price) -> str:
        """Return the amount with how often it comes round."""
        return f"{money(price.money)} {every(price)}"

    @admin.display(description=_("current"), boolean=True)
    def is_current(self, price: Price) -> bool:
        """Return whether it is on sale."""
        return price.archived_at is None


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnly):
    """Who has what. The state is the book's last settling; `access` is worked out at this moment."""

    list_display = ["public_id", "customer", "price", "quantity", "state", "created_at"]
    list_filter = ["status", "price__plan", "price__currency"]
    list_select_related = ["customer", "price"]
    search_fields = ["=public_id", "customer__username", "customer__email"]
    ordering = ["-id"]
    readonly_fields = ["access", "charges_shown"]
    fieldsets = [
        (None, {"fields": ["customer", "price", "quantity", "periods", "status", "access", "charges_shown"]}),
        (_("What comes"), {"fields": ["auto_renew", "cancel_requested", "scheduled_price", "trial_end", "grace_end"]}),
        (
            _("Paid ahead"),
            {"fields": ["anchor_at", "period_number", "period_start", "period_end", "period_paid", "paused_left"]},
        ),
        (_("Metered"), {"fields": ["billed_until", "remainder"]}),
        (_("Record"), {"fields": ["public_id", "wallet", "created_at", "started_at", "ended_at", "entry_count"]}),
    ]

    @admin.display(description=_("status"), ordering="status")
    def state(self, row: Subscription) -> str:
        """Return the status as a tag."""
        tone, sign, word = STATUSES[Subscription.Status(row.status)]
        return format_html('<span class="tag {}">{} {}</span>', tone, sign, word)

    @admin.display(description=_("access now"))
    def access(self, row: Subscription) -> str:
        """Return whether it may be used at this moment, and until when."""
        found = books.access(row, now=timezone.now())
        until = f" → {found.until:%Y-%m-%d %H:%M:%S} UTC" if found.until else ""
        return f"{_('yes') if found.active else _('no')} ({found.reason}){until}"

    @admin.display(description=_("charges"))
    def charges_shown(self, row: Subscription) -> str:
        """Return the last charges as a table."""
        charges = Charge.objects.filter(subscription=row).select_related("refund").order_by("-period_start")
        context = {"charges": charges[:CHARGES_SHOWN], "currency": row.price.currency}
        return render_to_string("admin/subscriptions/charges.html", context)


class Attention(admin.SimpleListFilter):
    """Which books want somebody to look at them."""

    title = _("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Name the kinds."""
        return [("parked", _("parked")), ("waiting", _("overdue, waits for staff")), ("due", _("due now"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Book]) -> QuerySet[Book]:
        """Return those of the kind."""
        now = timezone.now()
        match self.value():
            case "parked":
                return queryset.exclude(parked_at=None)
            case "waiting":
                return queryset.filter(pk__in=billing_run.waiting(now).values("pk"))
            case "due":
                return queryset.filter(pk__in=billing_run.due(now).values("pk"))
        return queryset


@admin.register(Book)
class BookAdmin(ReadOnly):
    """Where the clock stands for each wallet. One that is parked, or overdue for too long, waits for staff."""

    list_display = ["wallet", "customer", "balance", "settled_at", "due_at", "parked_at", "parked_reason"]
    list_filter = [Attention, "wallet__currency"]
    list_select_related = ["wallet__owner"]
    search_fields = ["wallet__owner__username", "wallet__owner__email"]
    ordering = ["-wallet"]
    readonly_fields = ["dry_run"]
    actions = ["settle_now"]  # type: ignore[assignment]

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Whoever has been given the model's `change` permission, which here edits nothing."""
        return request.user.has_perm("subscriptions.change_book")

    @admin.display(description=_("customer"))
    def customer(self, book: Book) -> str:
        """Return whose it is."""
        return str(book.wallet.owner)

    @admin.display(description=_("balance"))
    def balance(self, book: Book) -> str:
        """Return what is in the wallet."""
        return money(Money(book.wallet.balance or 0, book.wallet.currency))

    @admin.display(description=_("settling it now would post"))
    def dry_run(self, book: Book) -> str:
        """Return what is due as a table, or what stands in the way of working it out."""
        try:
            lines = billing_run.dry_run(book.wallet_id, timezone.now())
        except Exception as error:  # noqa: BLE001 - a broken book is what staff come here to see
            return f"{type(error).__name__}: {error}"
        return render_to_string("admin/subscriptions/dry_run.html", {"lines": lines})

    @admin.action(description=_("Settle these books now (catch up)"), permissions=["settle"])
    def settle_now(self, request: HttpRequest, queryset: QuerySet[Book]) -> None:
        """Settle each, however long overdue; one that cannot be settled is parked with its reason."""
        run = billing_run.settle_books(list(queryset.values_list("pk", flat=True)), timezone.now())
        said = _("Books settled: %(books)d. Charges written: %(charges)d. Parked: %(parked)d.")
        level = messages.WARNING if run.parked else messages.SUCCESS
        self.message_user(request, said % {"books": run.books, "charges": run.charges, "parked": run.parked}, level)


def _terms(price: Price) -> dict[str, Any]:
    return {name: getattr(price, name) for name in ("plan", "currency", *TERMS)}

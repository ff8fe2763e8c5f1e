"""Base classes for read-only admin pages: only domain code writes these rows."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _


class ReadOnlyMixin:
    """Forbid adding, changing and deleting rows."""

    opts: Any

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may run this page's actions: it takes the model's `change` permission."""
        user: Any = request.user
        return bool(user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}"))


class ReadOnlyAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """A read-only admin of one model."""

    list_per_page = 50
    # Counting all rows would read the whole table for every page.
    show_full_result_count = False
    ordering = ["-id"]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Turn customers into links to their pages, for those who may view them."""
        columns: list[Any] = list(super().get_list_display(request))
        user: Any = request.user
        if not user.has_perm("accounts.view_user"):
            return columns
        return ["customer_shown" if name == "customer" else name for name in columns]

    @admin.display(description=_("customer"))
    def customer_shown(self, row: Any) -> str:
        """Return a link to the customer of a row."""
        return link_to_customer(row.customer)


def link_to_customer(customer: Any) -> str:
    """Return a link to the page with everything about a customer; empty for none."""
    if customer is None:
        return ""
    return format_html('<a href="{}">{}</a>', reverse("admin:customer", args=[customer.pk]), customer)

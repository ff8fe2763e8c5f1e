"""Base classes for read-only admin pages: only domain code writes these rows."""

from typing import Any

from django.http import HttpRequest

from core.lists import ListMixin


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


class ReadOnlyAdmin(ReadOnlyMixin, ListMixin):
    """A read-only admin of one model."""

    ordering = ["-id"]

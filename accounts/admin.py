"""The admin of users. Tokens have no admin: nobody may see them."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import registration, tokens
from accounts.models import User
from core.lists import ListMixin

# Fields that would let staff give themselves more permissions.
POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(User)
class UserAdmin(ListMixin, DjangoUserAdmin):
    """Only superusers grant permissions, and only they may change staff and superusers."""

    list_display = ["username", "email", "first_name", "last_name", "is_active", "is_staff", "date_joined"]
    list_filter = ["is_active", "is_staff", "is_superuser", "language"]
    search_fields = ["=id", "username", "email"]
    search_help_text = _("Id, user name or email")
    ordering = ["-id"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email", "language", "time_zone", "mails_off"]}),
        (_("Permissions"), {"fields": ["is_active", *POWERS]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"classes": ["wide"], "fields": ["username", "email", "usable_password", "password1", "password2"]})
    ]
    # Closing an account also stops its billing: subscriptions.closure.
    readonly_fields = ["is_active", "last_login", "date_joined"]

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """Make the permission fields read-only for everybody but superusers."""
        fields = [str(field) for field in super().get_readonly_fields(request, obj)]
        return fields if request.user.is_superuser else [*fields, *POWERS]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let staff change customers. Only superusers may change staff: a new password would let anybody log in."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or request.user.is_superuser or not (obj.is_staff or obj.is_superuser))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid deletion: an account is closed, and its transactions stay."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the user; replace a changed email address, and end the sessions after a new password."""
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            registration.set_address(obj)
        if "password" in form.changed_data:
            tokens.end_all(obj, now=timezone.now())

"""The admin actions that close accounts and open them again. billing_site.admin adds them to the page of users."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin import UserAdmin
from accounts.models import User
from subscriptions import closure
from subscriptions.admin.sale import SalePage


class AccountActions(SalePage, UserAdmin):
    """Users, with actions. Closing an account also stops what it pays for."""

    actions = ["close_accounts", "reopen_accounts"]

    @admin.action(description=_("Close these accounts: no log-in, no use, no charges"), permissions=["change"])
    def close_accounts(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Close the accounts that this member of staff may change."""
        chosen = self._allowed(request, queryset.filter(is_active=True))
        for user in chosen:
            closure.close(user, now=timezone.now())
        said = ngettext("%d account was closed.", "%d accounts were closed.", len(chosen)) % len(chosen)
        self.message_user(request, said, messages.SUCCESS)

    @admin.action(description=_("Open these accounts again"), permissions=["change"])
    def reopen_accounts(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Open the accounts that this member of staff may change."""
        chosen = self._allowed(request, queryset.filter(is_active=False))
        for user in chosen:
            closure.reopen(user, now=timezone.now())
        said = ngettext("%d account was opened.", "%d accounts were opened.", len(chosen)) % len(chosen)
        self.message_user(request, said, messages.SUCCESS)

    def _allowed(self, request: HttpRequest, users: QuerySet[User]) -> list[User]:
        """Return the users without oneself and without those whom only superusers may change."""
        return [user for user in users if user != request.user and self.has_change_permission(request, user)]

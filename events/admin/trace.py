"""Whatever staff save on an admin page is recorded as an act: who, from where, and each field before -> after."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.addresses import client_address
from core.rehearsal import NOTHING, Change
from events import staff_acts
from events.staff_acts import Author

# Fields whose values nobody may read.
SECRET = ("password", "password1", "password2")
# The field of a form that says why. It is no change of the row.
REASON = "reason"
FOR_STAFF = _("Only staff read it.")


class TracedMixin(admin.ModelAdmin):
    """An admin whose additions, changes and deletions are recorded, besides Django's own history."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Keep what the form changes for the record."""
        request.staff_changes = list(_changes(form, add=add))  # type: ignore[attr-defined]
        request.staff_reason = form.cleaned_data.get(REASON, "")  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.trace(request, obj, "add")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Record a change; one without a form says what was done by its message."""
        said = message if isinstance(message, str) else ""
        self.trace(request, obj, "change", result=said)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            self.trace(request, row, "delete")
        return super().log_deletions(request, queryset)

    def trace(self, request: HttpRequest, row: Any, verb: str, *, result: str = "") -> None:
        """Record an act on a row: `verb` names it, as in `plan.change`."""
        author = Author(cast(User, request.user), client_address(request))
        staff_acts.record(
            f"{self.opts.model_name}.{verb}", [row], author=author, customer=_customer(row),
            result=result, changes=getattr(request, "staff_changes", []),
            reason=getattr(request, "staff_reason", ""),
        )  # fmt: skip


def reason_field(help_text: Any = FOR_STAFF) -> forms.CharField:
    """Return the field for the reason of what staff do. `help_text` says who reads it."""
    return forms.CharField(label=_("Reason"), max_length=200, help_text=help_text)


class ReasonedMixin(TracedMixin):
    """An admin whose forms of new and changed rows ask for a reason, which is recorded."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        """Return the form with the reason as its last field, for those who may save."""
        if "fields" not in options:
            options["fields"] = flatten_fieldsets(self.get_fieldsets(request, obj))
        if options["fields"] is not None:
            options["fields"] = [name for name in options["fields"] if name != REASON]
        base: Any = super().get_form(request, obj, change=change, **options)
        if not self._may_save(request, obj):
            return base

        class Reasoned(base):
            reason = reason_field()

        return Reasoned

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields with the reason at the end, below the rows of other tables, for those who may save."""
        fieldsets = super().get_fieldsets(request, obj)
        if not self._may_save(request, obj):
            return fieldsets
        # A form without a list of fields has the reason among them.
        others = [
            (name, options | {"fields": [each for each in options["fields"] if each != REASON]})
            for name, options in fieldsets
        ]
        return [*others, (None, {"fields": [REASON], "classes": ["comes-last"]})]

    def _may_save(self, request: HttpRequest, row: Any) -> bool:
        return row is None or self.has_change_permission(request, row)


def _customer(row: Any) -> User | None:
    """Return the customer whom a row is about."""
    found = row if isinstance(row, AbstractBaseUser) else getattr(row, "customer", None)
    return found if isinstance(found, User) else None


def _changes(form: Any, *, add: bool) -> Iterable[Change]:
    """Yield each changed field with its text before and after."""
    for name in form.changed_data:
        if name == REASON:
            continue
        if name in SECRET:
            # The form of a new password calls it `password`, which is none of its fields.
            yield Change(gettext("Password"), NOTHING, gettext("changed"))
            continue
        field = form.fields[name]
        label = str(field.label or name)
        before = NOTHING if add else _text(form.get_initial_for_field(field, name))
        yield Change(label, before, _text(form.cleaned_data.get(name)))


def _text(value: Any) -> str:
    if value is None:
        return NOTHING
    is_many = hasattr(value, "__iter__") and not isinstance(value, str)
    return (", ".join(map(str, value)) if is_many else str(value)) or NOTHING

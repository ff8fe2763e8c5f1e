"""The tables of the scheduler and the groups of staff: superusers find them apart from the business."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext
from django_celery_beat import admin as beat  # registers the tables that are registered again below
from django_celery_beat import models as schedules

from accounts.models import User
from core.lists import ListMixin
from core.rehearsal import Fact, Facts
from events.admin.deletion import DeleteForm
from events.admin.review import ActForm, ActPages
from events.admin.trace import ReasonedMixin


class SuperusersOnly(ReasonedMixin, ActPages, ListMixin):
    """An admin for superusers only, whatever permissions a group has, with a reason for each change and deletion.

    Its tables are short: any column sorts.
    """

    sortable_by = None
    date_hierarchy = None
    # Whatever is done to several rows at once can be done on the page of each, where it is recorded.
    actions = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Return whether the user is an active superuser."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user is an active superuser."""
        return self.has_module_permission(request)

    has_add_permission = has_module_permission
    has_change_permission = has_view_permission

    def may_act(self, request: HttpRequest, form: type[ActForm]) -> bool:
        """Return whether the user is an active superuser."""
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Forbid Django's deletion, which asks for no reason."""
        return False


class DeleteTaskForm(DeleteForm):
    """The deletion of what runs by a schedule."""

    kind = "periodictask.delete"


class DeleteScheduleForm(DeleteForm):
    """The deletion of a schedule by which nothing runs. The tasks of another would go with it."""

    @classmethod
    def obstacle(cls, row: Any) -> str:
        """Return the tasks that run by it."""
        names = ", ".join(row.periodictask_set.order_by("name").values_list("name", flat=True))
        return gettext("These tasks run by it: %s.") % names if names else ""


class TaskAdmin(SuperusersOnly, beat.PeriodicTaskAdmin):
    """What runs when."""

    # The package's own also reads the whole table for the names of the tasks.
    list_filter = ["enabled", "one_off"]
    acts = {"delete": DeleteTaskForm}


def _of_schedule(model: type[Model], base: type[admin.ModelAdmin], **more: Any) -> type[admin.ModelAdmin]:
    """Return the admin of one kind of schedule, with `more` of its attributes."""
    form = type(f"Delete{model.__name__}Form", (DeleteScheduleForm,), {"kind": f"{model._meta.model_name}.delete"})
    return type(f"{model.__name__}Admin", (SuperusersOnly, base), {"inlines": [], "acts": {"delete": form}, **more})


class DeleteGroupForm(DeleteForm):
    """The deletion of a group. Whoever is in it loses what it permits."""

    kind, permission = "group.delete", "auth.delete_group"

    def facts(self, *, now: datetime) -> Facts:
        """Return the group, and how many people are in it."""
        held = Fact(gettext("People in it"), str(User.objects.filter(groups=self.row.pk).count()))
        return super().facts(now=now) | {"people": held}


class StaffGroupAdmin(SuperusersOnly, GroupAdmin):
    """The groups of staff. What they permit changes with a reason."""

    acts = {"delete": DeleteGroupForm}


TABLES: dict[Any, type[admin.ModelAdmin]] = {
    schedules.PeriodicTask: TaskAdmin,
    schedules.IntervalSchedule: _of_schedule(schedules.IntervalSchedule, beat.IntervalScheduleAdmin),
    # Without the package's description, which has times like 12:20 AM.
    schedules.CrontabSchedule: _of_schedule(
        schedules.CrontabSchedule,
        beat.CrontabScheduleAdmin,
        list_display=["__str__"],
        readonly_fields=[],
        fields=["minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone"],
    ),
    schedules.ClockedSchedule: _of_schedule(schedules.ClockedSchedule, beat.ClockedScheduleAdmin),
    schedules.SolarSchedule: _of_schedule(schedules.SolarSchedule, beat.SolarScheduleAdmin),
    Group: StaffGroupAdmin,
}

for model, registered in TABLES.items():
    admin.site.unregister(model)
    admin.site.register(model, registered)

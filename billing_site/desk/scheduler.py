"""The tables of the scheduler and the groups of staff: superusers find them apart from the business."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django_celery_beat import admin as beat  # registers the tables that are registered again below
from django_celery_beat import models as schedules

from core.lists import ListMixin
from events.admin.trace import TracedMixin


class SuperusersOnly(TracedMixin, ListMixin):
    """An admin for superusers only, whatever permissions a group has. Its tables are short: any column sorts."""

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
    has_change_permission = has_delete_permission = has_view_permission


class TaskAdmin(SuperusersOnly, beat.PeriodicTaskAdmin):
    """What runs when."""

    # The package's own also reads the whole table for the names of the tasks.
    list_filter = ["enabled", "one_off"]


class StaffGroupAdmin(SuperusersOnly, GroupAdmin):
    """The groups of staff."""


TABLES: dict[Any, type[admin.ModelAdmin]] = {
    schedules.PeriodicTask: TaskAdmin,
    schedules.IntervalSchedule: type("IntervalAdmin", (SuperusersOnly, beat.IntervalScheduleAdmin), {"inlines": []}),
    schedules.CrontabSchedule: type("CrontabAdmin", (SuperusersOnly, beat.CrontabScheduleAdmin), {"inlines": []}),
    schedules.ClockedSchedule: type("ClockedAdmin", (SuperusersOnly, beat.ClockedScheduleAdmin), {"inlines": []}),
    schedules.SolarSchedule: type("SolarAdmin", (SuperusersOnly, beat.SolarScheduleAdmin), {"inlines": []}),
    Group: StaffGroupAdmin,
}

for model, registered in TABLES.items():
    admin.site.unregister(model)
    admin.site.register(model, registered)

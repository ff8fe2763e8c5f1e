"""The staff site as a whole: its name, and who sees the scheduler. What is in it stands in each app's admin."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

# Registers what is taken back below; the autodiscovery that follows finds it imported already.
from django_celery_beat import admin as beat
from django_celery_beat import models as schedules

# Puts the customer's page with links in the place of the plain one.
from billing_site import customers as customers

admin.site.site_header = admin.site.site_title = settings.SITE_NAME
admin.site.enable_nav_sidebar = True


class SuperusersOnly(admin.ModelAdmin):
    """How often the clock is poked is nothing to be granted: it is for superusers alone."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers."""
        return self.has_module_permission(request)

    has_add_permission = has_module_permission
    has_change_permission = has_delete_permission = has_view_permission


for model, registered in (
    (schedules.PeriodicTask, beat.PeriodicTaskAdmin),
    (schedules.IntervalSchedule, beat.IntervalScheduleAdmin),
    (schedules.CrontabSchedule, beat.CrontabScheduleAdmin),
    (schedules.ClockedSchedule, beat.ClockedScheduleAdmin),
    (schedules.SolarSchedule, beat.SolarScheduleAdmin),
):
    admin.site.unregister(model)
    admin.site.register(model, type(registered.__name__, (SuperusersOnly, registered), {}))

"""The app that composes the others."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.utils.module_loading import import_string

from billing_site import brand, checks, logs
from billing_site.desk import names

__all__ = ["brand", "checks"]

# They register signal handlers, and use models, which are there once all apps are loaded.
RECEIVERS = ("billing_site.worker", "billing_site.metrics.gateways")


class BillingSiteConfig(AppConfig):
    name = "billing_site"

    def ready(self) -> None:
        logs.configure()
        names.name_all()
        for module in RECEIVERS:
            import_module(module)
        # The library is loaded only where it is used.
        if settings.SENTRY_DSN:
            import_string("billing_site.error_reports.start")()


class DeskConfig(AdminConfig):
    """Django's admin with the site of the staff desk."""

    default_site = "billing_site.desk.site.DeskSite"

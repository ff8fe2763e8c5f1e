# `checks` and `worker` are imported because they register system checks and Celery signal handlers.

from django.apps import AppConfig

from billing_site import checks, logs, worker

__all__ = ["checks", "worker"]


class BillingSiteConfig(AppConfig):
    name = "billing_site"

    def ready(self) -> None:
        logs.configure()

"""The Celery application. Tasks are pokes: what is due stands in PostgreSQL."""

import os
from typing import Any

import structlog
from celery import Celery
from celery.contrib.django.task import DjangoTask
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")

logger = structlog.get_logger(__name__)


class Poke(DjangoTask):
    """A task that nobody depends on: where the broker does not take it, the scheduler's next poke does the work."""

    abstract = True

    def apply_async(self, *args: Any, **kwargs: Any) -> Any:
        """Publish; a broker that is down is noted, and is no error of the request that asked."""
        try:
            return super().apply_async(*args, **kwargs)
        except (OperationalError, OSError) as error:
            logger.warning("poke_not_sent", task=self.name, error=str(error))
            return None


app = Celery("billing_site", task_cls=Poke)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)

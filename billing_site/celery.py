"""The Celery application. A task is only a poke: PostgreSQL has what is due."""

import os
import warnings
from typing import Any

from celery import Celery
from celery.contrib.django.task import DjangoTask
from celery.exceptions import CPendingDeprecationWarning, Ignore
from django.db import DatabaseError, InterfaceError, connection
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.exceptions import OperationalError

from billing_site import outages
from core.retry import is_unreachable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")


# A worker that loses the broker finishes what it has begun. Celery warns at each loss that this may change.
warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)


class Poke(DjangoTask):
    """A task that may get lost: if the broker does not take it, the scheduler's next one does the work."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task. While the database is out of reach, drop it with one line in the log for all tasks."""
        try:
            result = self.run(*args, **kwargs)
        except (DatabaseError, InterfaceError) as error:
            if not is_unreachable(error):
                raise
            outages.database.began(error)
            connection.close()
            raise Ignore from error
        # A task that has asked the database nothing says nothing about it.
        if connection.connection is not None:
            outages.database.ended()
        return result

    def apply_async(self, *args: Any, **kwargs: Any) -> Any:
        """Publish the task. If the broker is down, log the outage: the request that sends the task goes on."""
        try:
            sent = super().apply_async(*args, **kwargs)
        except (OperationalError, OSError) as error:
            outages.broker.began(error)
            return None
        outages.broker.ended()
        return sent


app = Celery("billing_site", task_cls=Poke)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)

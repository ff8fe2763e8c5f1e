"""Logs: one event a line, with the id of the request, which also reaches the tasks it caused, and without secrets.

Imported by settings.py and by gunicorn, so it knows neither Django's settings nor any model.
"""

import sys
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from billing_site.redaction import without_secrets

# What each line starts out with, whoever wrote it: structlog or the standard library.
SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def config(form: str, *, level: str) -> dict[str, Any]:
    """Return the LOGGING of Django, Celery and gunicorn. `form` is `json` or `console`."""
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else console
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    redact,
                    renderer,
                ],
            }
        },
        "handlers": {"line": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"}},
        "root": {"handlers": ["line"], "level": level},
        "loggers": {
            # Its own handlers go: every line is written once, by the root's.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            # django_structlog tells of every request, broken ones with their trace.
            "django.request": {"level": "CRITICAL"},
            # Names the path; billing_site.failures.csrf_failure names the reason alone.
            "django.security.csrf": {"level": "CRITICAL"},
            # Says of each log-in that it deleted nothing; what it locks it warns of.
            "axes": {"level": "WARNING"},
            "gunicorn.error": {"handlers": [], "propagate": True, "level": level},
            # A line for each poke, several a second, would bury the rest.
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }


def configure() -> None:
    """Send structlog's events through the standard library, where config() writes them."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            without_pokes,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def redact(logger: WrappedLogger, name: str, event: EventDict) -> Mapping[str, Any]:
    """Take secrets and card numbers out of a whole event, its trace included: the last step before it is written."""
    return {key: without_secrets(value, key) for key, value in event.items()}


def without_pokes(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Drop what a task started by the scheduler says of its start and end: several lines a second that tell nothing.

    A task that a request asked for is told of, under that request's id; so is everything that fails.
    """
    is_told = name != "info" or "request_id" in event or event["logger"] != "django_structlog.celery.receivers"
    if not is_told:
        raise structlog.DropEvent
    return event

"""Logging: one event per line, with the request id also in the lines of the tasks it caused, and without secrets.

billing_site.settings.logs and gunicorn import this module, so it uses neither Django's settings nor any model.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from billing_site.redaction import without_secrets

# The first steps for every event, from structlog and from the standard library.
SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
# Fields whose values come from our code and never from a request or another program: looking for secrets in them would
# only take time.
FROM_CODE = frozenset({"timestamp", "level", "logger", "method", "route", "request"})

JSON = structlog.processors.JSONRenderer(ensure_ascii=False)
# Characters that end a line, steer a terminal, or turn the order of what is shown: with them a stranger's text could
# look like a line of ours.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def config(form: str, *, level: str) -> dict[str, Any]:
    """Return the LOGGING dictionary for Django, Celery and gunicorn. `form` is `json` or `console`."""
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    render: list[Processor] = [json_line]
    if form != "json":
        render = [escaped_values, console]
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
                    *render,
                ],
            }
        },
        "filters": {
            "broker": {"()": "billing_site.outages.BrokerLines"},
            "clients": {"()": "billing_site.logs.WithoutSilentClients"},
        },
        "handlers": {"line": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"}},
        "root": {"handlers": ["line"], "level": level},
        "loggers": {
            # Without handlers of its own, so that each line is written once, by the root logger.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            # django_structlog logs every request, failed ones with their traceback.
            "django.request": {"level": "CRITICAL"},
            # It would log the path; billing_site.error_views.csrf_failure logs the reason only.
            "django.security.csrf": {"level": "CRITICAL"},
            # Below a warning it only says at each log-in that it deleted nothing.
            "axes": {"level": "WARNING"},
            # It would log the name and a traceback; request_finished says 400.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "gunicorn.error": {"handlers": [], "propagate": True, "level": level, "filters": ["clients"]},
            # A line for each poke, several per second, would hide everything else.
            "celery.beat": {"level": "WARNING", "filters": ["broker"]},
            "celery.worker.consumer.consumer": {"filters": ["broker"]},
            # It says that the broker is back, at INFO.
            "celery.worker.consumer.connection": {"level": "INFO", "filters": ["broker"]},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            # Two lines for each call, and at DEBUG the whole body of it.
            "stripe": {"level": "WARNING"},
        },
    }


class WithoutSilentClients(logging.Filter):
    """Drops gunicorn's traceback of a client that was silent for too long: strangers could fill the log with it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is written."""
        return not (record.exc_info and isinstance(record.exc_info[1], BlockingIOError))


def configure() -> None:
    """Send structlog's events to the standard library's logging, which config() has set up."""
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
    """Processor: remove secrets and card numbers from a whole event with its traceback, just before it is written."""
    return {key: value if key in FROM_CODE else without_secrets(value, key) for key, value in event.items()}


def escaped(text: str) -> str:
    r"""Return the text with each unsafe character as JSON writes it, such as \u000a for the end of a line."""
    return UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def json_line(logger: WrappedLogger, name: str, event: EventDict) -> str:
    """Render as JSON, which by itself escapes only what is below a space. The values stay what they are."""
    return escaped(str(JSON(logger, name, event)))


def escaped_values(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Processor before the console renderer: only a traceback has lines, and they are indented."""
    shown = {key: escaped(value) if isinstance(value, str) else value for key, value in event.items()}
    if isinstance(trace := event.get("exception"), str):
        shown["exception"] = "\n".join(f"    {escaped(line)}" for line in trace.split("\n"))
    return shown


def without_pokes(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Processor: drop the start and end of tasks that the scheduler sent, which are several lines per second.

    Tasks that a request sent are logged under its request id, and so is every failure.
    """
    is_logged = name != "info" or "request_id" in event or event["logger"] != "django_structlog.celery.receivers"
    if not is_logged:
        raise structlog.DropEvent
    return event

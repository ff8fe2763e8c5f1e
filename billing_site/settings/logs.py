"""Logs of web, worker and scheduler."""

import logging

from billing_site import logs
from billing_site.settings.environment import LOCAL, env

# `console` for people, `json` (one object per line) for machines; both without secrets. A local run logs warnings.
LOG_FORMAT = env.choice("LOG_FORMAT", ("console", "json"), default="console" if LOCAL else "json")
LOG_LEVEL = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), default="WARNING" if LOCAL else "INFO")
LOGGING = logs.config(LOG_FORMAT, level=LOG_LEVEL)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# A request id that came with the request is kept; billing_site.request_log drops a malformed one first.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
# One line per request, when it is answered.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
# IP addresses are personal data. Throttles and lock-outs store what they need as hashes.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False

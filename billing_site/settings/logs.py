"""Logs of web, worker and scheduler."""

import logging

from billing_site import logs
from billing_site.settings.environment import LOCAL, env

# `console` is for people, `json` (one object a line) for machines. Both without secrets. A local run is quiet.
LOG_FORMAT = env.str("LOG_FORMAT", default="console" if LOCAL else "json")
LOGGING = logs.config(LOG_FORMAT, level=env.str("LOG_LEVEL", default="WARNING" if LOCAL else "INFO"))
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# One line for each request, when it is answered.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
# What calls came from is personal data; throttles and lock-outs keep what they need, hashed.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False

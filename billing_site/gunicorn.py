"""Configuration of gunicorn, local and in containers. It uses threads, because requests mostly wait."""

import socket
import struct
from typing import Any

from billing_site.metrics import multiprocess
from billing_site.settings import HOST, LOGGING, PORT, WEB_THREADS, WEB_WORKERS

wsgi_app = "billing_site.wsgi:application"
# An IPv6 address stands in brackets.
bind = f"[{HOST}]:{PORT}" if ":" in HOST and not HOST.startswith("[") else f"{HOST}:{PORT}"
worker_class = "billing_site.web_worker.Worker"
workers = WEB_WORKERS
threads = WEB_THREADS
# Seconds after which a silent worker is replaced, and that a stopping worker has to finish its requests.
timeout = 30
graceful_timeout = 10
keepalive = 5
SILENT_CLIENT_SECONDS = 10
# Gunicorn believes X-Forwarded-Proto of nobody. By itself it would believe this machine's, also with
# TRUST_FORWARDED_PROTO=0, which Django obeys.
forwarded_allow_ips = ""
# Refuse larger requests before Django sees them; ours stay far below these limits.
limit_request_line = 4096
limit_request_fields = 60
limit_request_field_size = 8190
worker_tmp_dir = str(memory) if (memory := multiprocess.memory()) else None
control_socket_disable = True
# django_structlog logs each request with its id, so gunicorn's access log is off.
accesslog = None
logconfig_dict = LOGGING


def on_starting(server: Any) -> None:
    """Have all workers count their requests in one folder, so that each of them can tell Prometheus about all."""
    multiprocess.prepare()


def when_ready(server: Any) -> None:
    """Give up a connection whose client is silent in the middle of a request, or takes no answer.

    Accepted connections inherit the limits of their listener. Gunicorn would wait for ever, with a thread for each.
    """
    limit = struct.pack("ll", SILENT_CLIENT_SECONDS, 0)
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def on_exit(server: Any) -> None:
    """Remove that folder."""
    multiprocess.remove()

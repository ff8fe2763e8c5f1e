"""How gunicorn serves the site, here and in a container: by threads, since most of a request is waiting."""

import os

from billing_site import logs

wsgi_app = "billing_site.wsgi:application"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
# A worker that answers nothing for this long is replaced; a told one finishes what it has for `graceful_timeout`.
timeout = 30
graceful_timeout = 10
keepalive = 5
# Before Django sees them: what no request of ours comes near.
limit_request_line = 4096
limit_request_fields = 60
limit_request_field_size = 8190
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
control_socket_disable = True
# django_structlog tells of each request, with its id; gunicorn's own access log would say less.
accesslog = None
logconfig_dict = logs.config(
    os.environ.get("LOG_FORMAT", "console" if os.environ.get("LOCAL") == "1" else "json"),
    level=os.environ.get("LOG_LEVEL", "INFO"),
)

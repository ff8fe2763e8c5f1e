"""The WSGI application for gunicorn. It refuses to start with unsafe production settings."""

import os

from django.core.wsgi import get_wsgi_application

from billing_site.checks import refuse_to_start_unsafe
from core.database import patience

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")

application = get_wsgi_application()
# With this code gunicorn stops as a whole; with any other it would start the process again and again.
refuse_to_start_unsafe(exit_code=3)
patience.limit_process()

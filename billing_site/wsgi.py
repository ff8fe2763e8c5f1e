"""The WSGI application for gunicorn. It refuses to start with unsafe production settings."""

import os

from django.core.wsgi import get_wsgi_application

from billing_site.checks import refuse_to_start_unsafe

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")

application = get_wsgi_application()
refuse_to_start_unsafe()

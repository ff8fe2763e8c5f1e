"""What every page knows about the site it is on."""

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.urls import translate_url

# Each language by its own name: whoever looks for it may read no other.
NAMES = [("en", "English"), ("ru", "Русский")]


def site(request: HttpRequest) -> dict[str, object]:
    """Template variables for the frame around each page. The language links keep path and query."""
    path = request.get_full_path()
    return {
        "site_name": settings.SITE_NAME,
        "is_sandbox": "sandbox" in settings.PAYMENT_GATEWAYS,
        # By this id the logs tell what happened in this request.
        "reference": structlog.contextvars.get_contextvars().get("request_id", ""),
        "language_links": [(code, name, translate_url(path, code)) for code, name in NAMES],
    }

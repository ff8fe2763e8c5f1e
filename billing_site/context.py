"""What every page knows about the site it is on."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """Template variables for the frame around each page."""
    return {"site_name": settings.SITE_NAME, "is_sandbox": "sandbox" in settings.PAYMENT_GATEWAYS}

"""The HTML of a mail as a page of its own, for the admin and /dev/mail/."""

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin

# Its own styles and a logo, nothing that runs, and links that open in a page of their own.
POLICY = {
    "default-src": [NONE],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["https:", "data:"],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}


@never_cache
@xframe_options_sameorigin
@csp_replace(POLICY)
def show(request: HttpRequest, html: str) -> HttpResponse:
    """Return the HTML of a mail as it is. It runs nothing, and only our own pages may have it in a frame."""
    return HttpResponse(html)

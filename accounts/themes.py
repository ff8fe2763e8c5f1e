"""Whether pages are light or dark: a choice of each browser, kept in a cookie that both the server and app.js write."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

COOKIE = "theme"
# Empty: as the device is.
CHOICES = [("", _("Like my device")), ("light", _("Light")), ("dark", _("Dark"))]
YEAR = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """Return `light` or `dark`; empty if the browser has chosen neither."""
    chosen = request.COOKIES.get(COOKIE, "")
    return chosen if chosen in dict(CHOICES) else ""


def remember(response: HttpResponse, theme: str) -> None:
    """Keep the choice of a browser. app.js changes it too, so the cookie is not hidden from scripts."""
    if theme:
        response.set_cookie(COOKIE, theme, max_age=YEAR, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax")
    else:
        response.delete_cookie(COOKIE, samesite="Lax")

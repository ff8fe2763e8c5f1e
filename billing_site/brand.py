"""The stylesheet and the logo of the brand, and the check that both can be used (core.brand reads the settings)."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from billing_site.checks import TAG
from core import brand, colors

# Both URLs carry a hash of the content.
for_ever = cache_control(public=True, max_age=31_536_000, immutable=True)


@require_safe
@for_ever
def stylesheet(request: HttpRequest) -> HttpResponse:
    """Return the stylesheet that sets the colours of the brand."""
    return HttpResponse(brand.stylesheet(), content_type="text/css; charset=utf-8")


@require_safe
@for_ever
def logo(request: HttpRequest) -> FileResponse:
    """Return the file of the logo. A script in an SVG is stopped by the content policy of every response."""
    media_type = brand.logo_type()
    if not settings.SITE_LOGO or media_type is None:
        raise Http404
    try:
        return FileResponse(Path(settings.SITE_LOGO).open("rb"), content_type=media_type)
    except OSError:
        raise Http404 from None


@register(TAG)
def check_brand(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each colour that is hard to read on its ground, and for a logo that cannot be shown."""
    pairs = [
        ("SITE_COLOR", settings.SITE_COLOR, colors.LIGHT_GROUND),
        ("SITE_COLOR_DARK", brand.accent_on_dark(), colors.DARK_GROUND),
    ]
    errors: list[CheckMessage] = [
        Error(
            f"{name} is {color}: its contrast on {ground} is {found:.2f}, and text needs {colors.LEAST_CONTRAST}.",
            f"Choose a {'darker' if ground == colors.LIGHT_GROUND else 'lighter'} colour.",
            id="billing.E013",
        )
        for name, color, ground in pairs
        if (found := colors.contrast(color, ground)) < colors.LEAST_CONTRAST
    ]
    if problem := _logo_problem():
        hint = "Set it to an SVG, PNG or WebP of at most 100 KB that the server may read, or leave it blank."
        errors.append(Error(f"SITE_LOGO {problem}.", hint, id="billing.E014"))
    return errors


def _logo_problem() -> str:
    if not settings.SITE_LOGO:
        return ""
    if brand.logo_type() is None:
        return f"ends in none of {', '.join(brand.LOGO_TYPES)}"
    try:
        with Path(settings.SITE_LOGO).open("rb") as file:
            size = len(file.read(brand.LOGO_BYTES + 1))
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return f"has more than {brand.LOGO_BYTES} bytes" if size > brand.LOGO_BYTES else ""

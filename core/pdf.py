"""PDF of a page for the printer. Nothing is loaded but the fonts in core/fonts, which have Latin, Cyrillic and Greek.

WeasyPrint needs the library Pango of the operating system. Where it is missing there is no PDF. Making one takes tenths
of a second, so never do it inside a transaction.
"""

from pathlib import Path
from typing import Any

import structlog
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.module_loading import import_string

log = structlog.get_logger(__name__)

FONTS = Path(__file__).with_name("fonts")
FACES = "".join(
    f"@font-face{{font-family:Document;font-weight:{weight};src:url({(FONTS / name).as_uri()})}}"
    for weight, name in ((400, "NotoSans-Regular.woff2"), (700, "NotoSans-Bold.woff2"))
)


def response(template: str, context: dict[str, Any], *, name: str) -> HttpResponse | None:
    """Return the PDF of a template as a file to save; None without Pango: then the caller shows the page."""
    made = render(render_to_string(template, context))
    if made is None:
        return None
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


def render(html: str) -> bytes | None:
    """Return the PDF of a page; None without Pango."""
    # The library is loaded only where it is used: it takes memory.
    try:
        weasyprint: Any = {name: import_string(f"weasyprint.{name}") for name in ("HTML", "CSS")}
        configuration = import_string("weasyprint.text.fonts.FontConfiguration")()
        fetcher = import_string("weasyprint.urls.URLFetcher")
    except (ImportError, OSError) as error:
        log.warning("no_pdf", problem=str(error))
        return None
    document = weasyprint["HTML"](string=html, url_fetcher=fetcher(allowed_protocols=()))
    faces = weasyprint["CSS"](string=FACES, url_fetcher=fetcher(allowed_protocols=("file",)), font_config=configuration)
    pdf: bytes = document.write_pdf(stylesheets=[faces], font_config=configuration)
    return pdf

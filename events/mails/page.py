"""The HTML of a mail as a page of its own, for the admin and /dev/mail/."""

from django.http import HttpResponse

# Its own styles and a logo, nothing that runs, and links that open in a page of their own.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def show(html: str) -> HttpResponse:
    """Return the HTML of a mail as it is. It runs nothing, and only our own pages may have it in a frame."""
    headers = {"Content-Security-Policy": POLICY, "X-Frame-Options": "SAMEORIGIN", "Cache-Control": "no-store"}
    return HttpResponse(html, headers=headers)

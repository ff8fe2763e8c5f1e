"""The brand of this site and who sells on it: name, colours, logo, contact, legal details and links to the terms.

The only reader of the settings of billing_site.settings.brand, for pages, mails and receipts.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core.colors import lightened

# The kinds of pictures that a logo may be, by the ending of its file, and the most bytes it may have.
LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}
LOGO_BYTES = 100_000


class Brand(NamedTuple):
    """What is not set is empty. Colours are `#rrggbb`."""

    name: str
    # In the reader's language: the heading of the start page, and what the site is for, in a sentence.
    headline: str
    description: str
    # On light ground, and on dark ground.
    accent: str
    accent_dark: str
    # URL of a stylesheet that sets the colours; empty while they are those of static/app.css.
    stylesheet: str
    # URL of the logo on pages, and the https address of the one in mails.
    logo: str
    mail_logo: str
    # Who sells: by default the name of the site.
    legal_name: str
    address: str
    email: str
    tax_id: str
    # A line about taxes on each receipt.
    tax_line: str
    terms_url: str
    privacy_url: str
    refund_url: str


def brand() -> Brand:
    """Return the brand of this site."""
    accent, accent_dark = settings.SITE_COLOR, accent_on_dark()
    is_default = (accent, accent_dark) == (settings.DEFAULT_SITE_COLOR, settings.DEFAULT_SITE_COLOR_DARK)
    return Brand(
        name=settings.SITE_NAME,
        headline=_own_words("HEADLINE") or _("Plans that fit, and sums that you can check"),
        description=_own_words("DESCRIPTION")
        or _("Choose a plan of %(site)s and see the full amount before you pay. Change or cancel at any time.")
        % {"site": settings.SITE_NAME},
        accent=accent,
        accent_dark=accent_dark,
        stylesheet="" if is_default else _versioned("brand_stylesheet", stylesheet()),
        logo=_versioned("brand_logo", settings.SITE_LOGO + _mark(settings.SITE_LOGO)) if settings.SITE_LOGO else "",
        mail_logo=settings.SELLER_LOGO_URL,
        legal_name=settings.SELLER_NAME or settings.SITE_NAME,
        address=settings.SELLER_ADDRESS,
        email=settings.SELLER_EMAIL,
        tax_id=settings.SELLER_TAX_ID,
        tax_line=settings.SELLER_TAX_LINE,
        terms_url=settings.TERMS_URL,
        privacy_url=settings.PRIVACY_URL,
        refund_url=settings.REFUND_URL,
    )


def _own_words(name: str) -> str:
    """Return the text of a setting in the reader's language, or else in the other one; empty if neither is set."""
    english, russian = getattr(settings, f"SITE_{name}"), getattr(settings, f"SITE_{name}_RU")
    first, second = (russian, english) if (get_language() or "en").startswith("ru") else (english, russian)
    return str(first or second)


def accent_on_dark() -> str:
    """Return the accent on dark ground: SITE_COLOR_DARK, or else SITE_COLOR with as much white as it needs."""
    return str(settings.SITE_COLOR_DARK or lightened(settings.SITE_COLOR))


def stylesheet() -> str:
    """Return the CSS that sets the colours of the brand."""
    return f":root{{--brand:{settings.SITE_COLOR};--brand-dark:{accent_on_dark()}}}\n"


def logo_type() -> str | None:
    """Return the media type of the logo by the ending of its file; None for a kind that is not taken."""
    return LOGO_TYPES.get(Path(settings.SITE_LOGO).suffix.lower())


def _versioned(name: str, content: str) -> str:
    """Return the URL of something that is cached for ever: its query changes with its content."""
    return f"{reverse(name)}?v={hashlib.sha256(content.encode()).hexdigest()[:12]}"


@lru_cache(maxsize=4)
def _mark(path: str) -> str:
    """Return what changes when the file does. It is looked at once in the life of a process."""
    try:
        return str(Path(path).stat().st_mtime_ns)
    except OSError:
        return ""

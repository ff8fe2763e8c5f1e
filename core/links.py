"""Absolute links for mails and other places outside a page. Never built from the Host header of a request."""

from django.conf import settings
from django.urls import reverse


def absolute(name: str, *args: object, **kwargs: object) -> str:
    """Return the link to a named URL, in the active language: `https://billing.example.com/ru/topup/`."""
    return str(settings.SITE_URL) + reverse(name, args=args or None, kwargs=kwargs or None)

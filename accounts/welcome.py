"""The first mail to a new customer. Where addresses are confirmed, the mail with the link greets instead."""

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from core import links
from core.seller import seller

TEMPLATE = "account/email/welcome_message"


def send(user: User) -> None:
    """Put the mail into the outbox, in the caller's transaction and the customer's language."""
    with translation.override(user.language):
        # A subject is one line.
        subject = " ".join((_("Welcome to %(site_name)s") % {"site_name": settings.SITE_NAME}).split())
        values = {
            "name": user.first_name or user.username,
            "username": user.username,
            "subject": subject,
            "language": user.language,
            "seller": seller(),
            "site_name": settings.SITE_NAME,
            "site_url": settings.SITE_URL,
            "settings_url": links.absolute("settings"),
            "url": links.absolute("pricing"),
        }
        text, html = (render_to_string(f"{TEMPLATE}.{kind}", values) for kind in ("txt", "html"))
    send_mail(subject, text.strip() + "\n", None, [user.email], html_message=html)

"""/dev/mail/: the mails of a local run, as a customer gets them. In production these pages do not exist."""

from collections.abc import Callable
from functools import wraps

from csp.constants import SELF
from csp.decorators import csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing_site.local import mailbox
from billing_site.local.mailbox import KeptMail
from events.mails import page

View = Callable[..., HttpResponseBase]


def local_only(view: View) -> View:
    """Answer 404 unless LOCAL is set: mails of customers, and links that open their accounts, are nobody's to read."""

    @wraps(view)
    def guarded(request: HttpRequest, **path: str) -> HttpResponseBase:
        if not settings.LOCAL:
            raise Http404
        return view(request, **path)

    return guarded


@local_only
@require_safe
@never_cache
@csp_update({"frame-src": [SELF]})
def mails(request: HttpRequest, name: str = "") -> HttpResponse:
    """Show the list of mails, the newest first, and one of them: HTML, text and headers."""
    kept = [mail for each in mailbox.names()[:100] if (mail := mailbox.read(each))]
    shown = _get(name) if name else next(iter(kept), None)
    lines = [{"name": mail.name, "to": mail.header("To"), "subject": mail.subject} for mail in kept]
    return render(request, "dev/mail.html", {"lines": lines, "mail": shown})


@local_only
@require_safe
def html(request: HttpRequest, name: str) -> HttpResponse:
    """Show the HTML of one mail as it is, for the frame on the page."""
    return page.show(_get(name).html)


def _get(name: str) -> KeptMail:
    mail = mailbox.read(name)
    if mail is None:
        raise Http404
    return mail

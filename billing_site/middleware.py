"""Middleware of the site: request ids, caching of API responses, charset, language and time zone."""

import re
from collections.abc import Callable
from datetime import UTC, tzinfo

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers, patch_cache_control

from accounts import browsers
from accounts.models import User
from core.addresses import client_network
from core.database import patience
from payments.gateways import guard

FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}


# Pages that show an address, a link, or the key of a second factor, in any language.
SECRET_PAGES = re.compile(r"(/[a-z]{2})?/(2fa|email|confirm-email|password|reauthenticate)/")


def no_store(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: keep what holds tokens, balances or keys out of caches: the API and SECRET_PAGES (RFC 6749, 5.1)."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path_info.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-store")
        elif SECRET_PAGES.match(request.path_info):
            patch_cache_control(response, no_store=True)
        return response

    return answer


def gateway_patience(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: let a request wait for gateways for GATEWAY_TIMEOUT_WEB seconds in all. A person waits behind it."""

    def answer(request: HttpRequest) -> HttpResponse:
        with guard.within(settings.GATEWAY_TIMEOUT_WEB):
            return get_response(request)

    return answer


def database_patience(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: wait for the answer to a statement no longer than a person or a proxy waits for the page."""

    def answer(request: HttpRequest) -> HttpResponse:
        with patience.within(patience.REQUEST):
            return get_response(request)

    return answer


def utf8_only(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: refuse a form in a charset other than UTF-8 with 400, and read everything else as UTF-8.

    Django decodes forms and queries with any codec of Python that a request names, such as `zip` or `unicode_escape`,
    which fail or make text that PostgreSQL cannot store. The API's parser refuses other charsets itself.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        charset = (request.content_params or {}).get("charset", "utf-8").lower()
        is_form = request.content_type in FORMS and not request.path_info.startswith("/api/")
        if is_form and charset not in ("utf-8", "utf8"):
            raise BadRequest("The form is not in UTF-8.")
        request.encoding = "utf-8"
        return get_response(request)

    return middleware


class Language(LocaleMiddleware):
    """Middleware: choose the language by the URL prefix, and under /api/ by `Accept-Language`, English by default.

    Django's own middleware ignores the header where the default language has no prefix, and API URLs never have one.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language of the response."""
        super().process_request(request)
        if request.path_info.startswith("/api/"):
            translation.activate(translation.get_language_from_request(request))
            request.LANGUAGE_CODE = translation.get_language()


def time_zone(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: show times in the zone of who is logged in, by default the site's; under /api/ in UTC."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone(request)):
            return get_response(request)

    return middleware


def browser_sessions(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: note the browser of who is logged in on the pages, for the list in their settings."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/") and isinstance(request.user, User) and request.session.session_key:
            browsers.note(
                request.user,
                request.session.session_key,
                user_agent=request.headers.get("User-Agent", ""),
                address=client_network(request),
                now=timezone.now(),
            )
        return get_response(request)

    return middleware


def signed_in_answers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: keep what is sent to who is logged in out of caches, unless it says itself how long it may be kept.

    The head of every page shows their name and balance, and files hold their payments.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        is_signed_in = not request.path_info.startswith("/api/") and isinstance(request.user, User)
        response = get_response(request)
        if is_signed_in and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    return middleware


def staff_language(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: show the staff desk in the language of who reads it. Its addresses have no prefix."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(reverse("admin:index")) and isinstance(request.user, User):
            translation.activate(request.user.language)
        return get_response(request)

    return middleware


def _zone(request: HttpRequest) -> tzinfo | None:
    """Return the zone of a request, None for the site's. Nobody is looked up for a request without a session."""
    if request.path_info.startswith("/api/"):
        return UTC
    user = request.user if settings.SESSION_COOKIE_NAME in request.COOKIES else None
    return user.zone if isinstance(user, User) else None


def request_id_header(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: send the request id as `X-Request-Id`. Error pages show the same id, and the log has it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        response = get_response(request)
        response["X-Request-Id"] = request_id
        return response

    return middleware

"""Middleware of the site: request ids and log lines, caching of API answers, and the language of an answer."""

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django_structlog.middlewares import RequestMiddleware


def no_store_for_api(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: keep API answers, which hold tokens and balances, out of caches (RFC 6749 section 5.1)."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path_info.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


class Language(LocaleMiddleware):
    """Django's own looks at nothing but the address where the default language has no prefix. Under /api/ no address
    has one: there the header decides, English without it. Answers carry `Content-Language` and `Vary` as ever.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language of the answer."""
        super().process_request(request)
        if request.path_info.startswith("/api/"):
            translation.activate(translation.get_language_from_request(request))
            request.LANGUAGE_CODE = translation.get_language()


def request_id_header(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Tell the caller the id under which the log has this request: the reference of every error page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        response = get_response(request)
        response["X-Request-Id"] = request_id
        return response

    return middleware


class RequestLog(RequestMiddleware):
    """Middleware: log each request under its route. Its path and query are the caller's, and may carry a secret."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Return method and route, such as `GET api/payments/<slug:public_id>`."""
        match = request.resolver_match
        return f"{request.method} {match.route if match else '(no route)'}"

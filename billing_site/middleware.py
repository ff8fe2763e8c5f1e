"""Answers of the API hold tokens and balances: no browser and no proxy keeps them (RFC 6749 section 5.1)."""

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


def no_store_for_api(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: what is answered under /api/ and says nothing else about it is not stored."""

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

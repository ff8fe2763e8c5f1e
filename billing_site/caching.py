"""Answers of the API hold tokens and balances: no browser and no proxy keeps them (RFC 6749 section 5.1)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


def api_answers_are_not_kept(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: what is answered under /api/ and says nothing else about it is not stored."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path_info.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer

"""Responses where no view answers: unknown paths, refused requests, bugs. Problem+json under /api/, pages elsewhere."""

import sys
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from accounts.web.auth import page_of_button
from billing_site.context_processors import site
from billing_site.problems import Problem, problem_of, respond
from billing_site.request_log import note_cause
from core.api.serializers import shortened
from core.errors import DomainError
from core.retry import outage_behind

log = structlog.get_logger(__name__)

# Only programs read what is under these paths.
WITHOUT_PAGES = ("/api/", "/webhooks/")


def is_api(request: HttpRequest) -> bool:
    """Return whether the request is for the API, which answers in JSON."""
    return request.path_info.startswith("/api/")


@csrf_exempt
def unknown_api_path(request: HttpRequest) -> HttpResponse:
    """Answer an API path with a missing or extra slash at its end as the right one; 404 for any other path."""
    path = request.path_info
    try:
        match = resolve(path.removesuffix("/") if path.endswith("/") else path + "/")
    except Resolver404:
        match = None
    if match is None or match.func is unknown_api_path:
        detail = _("%(path)s does not exist. All endpoints are listed at /api/docs/.") % {"path": shortened(path)}
        return respond(Problem("not_found", detail))
    request.resolver_match = match
    answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return answer


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400, or 503 to a session that could not be saved because the database went away."""
    if outage := _outage(exception):
        return outage_response(request, outage)
    if not is_api(request):
        return defaults.bad_request(request, exception)
    return respond(problem_of(exception) or Problem("bad_request", _("The request could not be read.")))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    if not is_api(request):
        return defaults.permission_denied(request, exception)
    return respond(Problem("permission_denied", _("You do not have permission to do this.")))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    if not is_api(request):
        return defaults.page_not_found(request, exception)
    return respond(Problem("not_found", _("Nothing was found at this address.")))


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    """Answer 500. Django has logged the traceback under the same request id.

    Answer 503 if the database went away where no view can notice it, such as in the middleware of sessions.
    """
    if outage := _outage(sys.exc_info()[1]):
        return outage_response(request, outage)
    if not is_api(request):
        return page(request, 500)
    return respond(
        Problem("internal_error", _("Something went wrong on our side. Check the current state before you try again."))
    )


def _outage(error: BaseException | None) -> Problem | None:
    """Return the problem of a database that is out of reach, if that is what an exception comes from."""
    outage = outage_behind(error)
    if not isinstance(outage, Exception):
        return None
    note_cause(outage)
    return problem_of(outage)


def outage_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the response to a request during which the database went away."""
    return respond(problem) if is_api(request) else problem_page(request, problem)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form that fails the CSRF check (settings.CSRF_FAILURE_VIEW), and log the reason."""
    log.warning("form_refused", reason=reason)
    return page(request, 403, template="403_csrf.html")


class Pages:
    """Middleware: turn domain errors, a busy database and methods that are not allowed into error pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = response.status_code == 405 and not request.path_info.startswith(WITHOUT_PAGES)
        return self.method_not_allowed(request, response) if is_page else response

    def method_not_allowed(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Return the page that leads back to where the button of this address is."""
        answer = render(request, "405.html", {"page": page_of_button(request)}, status=405)
        answer["Allow"] = response["Allow"]
        return answer

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return an error page for an expected exception, None for a bug, which Django logs."""
        expected = isinstance(exception, DomainError | DatabaseError | InterfaceError)
        problem = problem_of(exception) if expected else None
        if problem is None or is_api(request):
            return None
        if problem.kind.status >= 500:
            note_cause(exception)
        return problem_page(request, problem)


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the error page of a problem, with its headers."""
    status = problem.kind.status
    answer = page(request, status, template=f"{status if status in (404, 429, 503) else 409}.html")
    for name, value in problem.headers.items():
        answer[name] = value
    return answer


def page(request: HttpRequest, status: int, *, template: str = "") -> HttpResponse:
    """Render an error page without database or session, because those may have failed."""
    return HttpResponse(render_to_string(template or f"{status}.html", site(request)), status=status)


def locked_out(request: HttpRequest, response: HttpResponse, credentials: Any) -> HttpResponse:
    """Answer 429 after too many failed log-ins (settings.AXES_LOCKOUT_CALLABLE)."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    if is_api(request):
        detail = _("Too many login attempts. Wait, or reset your password on the login page.")
        return respond(Problem("too_many_attempts", detail, headers={"Retry-After": str(seconds)}))
    context = {"minutes": -(-seconds // 60)}
    page = render(request, "account/locked_out.html", context, status=429)
    page["Retry-After"] = str(seconds)
    return page

"""Views behind a log-in: the type of their requests, and those behind a button, which have no page of their own."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import User

# The longest URL of a page that the log-in returns to.
LONGEST = 500


class SignedInRequest(HttpRequest):
    """A request of a logged-in user. For annotations only: never instantiated."""

    user: User


def button(page: str, *parameters: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Decorate a view behind a button: it takes only the POST of a logged-in customer.

    `page` names the URL of the page with the button, and `parameters` are those of the view that the page has too.
    Whoever presses the button after their session has ended logs in and comes back to that page.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @require_POST
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated:
                return view(request, *args, **kwargs)
            messages.info(request, _("You were logged out. Log in, and press the button again."))
            return redirect_to_login(page_of_button(request))

        answer.page = page, parameters  # type: ignore[attr-defined]
        return answer

    return decorate


def page_of_button(request: HttpRequest) -> str:
    """Return the URL of the page with the button that this request presses; of the start page if there is no button."""
    view, kwargs = _view_at(request.path_info)
    if not hasattr(view, "page"):
        return reverse("home")
    if url := _referring_page(request):
        return url
    page, parameters = view.page
    return reverse(page, kwargs={name: kwargs[name] for name in parameters})


def _referring_page(request: HttpRequest) -> str:
    """Return path and query of the page that the browser comes from; empty if it is not a page of ours."""
    try:
        referrer = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return ""
    view, _kwargs = _view_at(referrer.path)
    url = referrer._replace(scheme="", netloc="", fragment="").geturl()
    # A form that was sent to a button, and is shown again with errors, has the address of the button.
    is_page = view is not None and not hasattr(view, "page")
    return url if is_page and referrer.netloc == request.get_host() and len(url) <= LONGEST else ""


def _view_at(path: str) -> tuple[Any, dict[str, Any]]:
    """Return the view at a path and its arguments; None and no arguments if there is none."""
    try:
        match = resolve(path)
    except Resolver404:
        return None, {}
    return match.func, match.kwargs

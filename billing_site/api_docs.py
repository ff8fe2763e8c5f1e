"""The API's description of itself: OpenAPI, Swagger UI from our own files, and a page for each error code."""

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from billing_site.errors import ERRORS

# Swagger UI sets style attributes and draws from data: URLs. Scripts still come from files of ours only.
DOCS_POLICY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF, "'unsafe-inline'"],
    "img-src": [SELF, "data:"],
    "connect-src": [SELF],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}


class Schema(SpectacularAPIView):
    """OpenAPI 3.1, YAML or with `?format=json` JSON."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


@method_decorator(csp_replace(DOCS_POLICY), name="dispatch")
class Docs(SpectacularSwaggerSplitView):
    """The description to read and to try."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    url_name = "api-schema"


def errors(request: HttpRequest) -> HttpResponse:
    """List the error codes."""
    return render(request, "docs/errors.html", {"errors": ERRORS})


def error(request: HttpRequest, code: str) -> HttpResponse:
    """Explain one code: the page that `type` points to."""
    if code not in ERRORS:
        raise Http404
    return render(request, "docs/error.html", {"code": code, "error": ERRORS[code]})

"""The documentation of the API: the OpenAPI schema, Swagger UI served from our own files, a page per error code."""

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from billing_site.error_codes import ERRORS

# Swagger UI sets style attributes and loads images from data: URLs. Scripts still come from our own files only.
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
    """The OpenAPI 3.1 schema, as YAML or with `?format=json` as JSON."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


@method_decorator(csp_replace(DOCS_POLICY), name="dispatch")
class Docs(SpectacularSwaggerSplitView):
    """Swagger UI, to read the documentation and to try the API."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    url_name = "api-schema"


def errors(request: HttpRequest) -> HttpResponse:
    """Render the list of error codes."""
    return render(request, "docs/errors.html", {"errors": ERRORS})


def error(request: HttpRequest, code: str) -> HttpResponse:
    """Render the page of one error code, to which `type` in a problem points."""
    if code not in ERRORS:
        raise Http404
    return render(request, "docs/error.html", {"code": code, "error": ERRORS[code]})

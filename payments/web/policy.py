"""The content policy of pages with forms that lead to a gateway: browsers follow redirects only to listed origins."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.decorators import csp_update
from django.http import HttpResponse

from payments.gateways import registry


def leads_to_gateways(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Allow the forms of this page to lead to the gateways that are offered, beside settings.CSP_FORM_ACTION."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> HttpResponse:
        response = csp_update({"form-action": registry.form_targets()})(view)(*args, **kwargs)
        assert isinstance(response, HttpResponse)
        return response

    return answer

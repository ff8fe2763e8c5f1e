"""Who may read /statusz and /metrics: whoever has the token of METRICS_TOKEN, or calls from METRICS_NETWORKS.

With neither setting nobody may: on a production site the pages then do not exist.
"""

import ipaddress
from hmac import compare_digest

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core.addresses import client_address


def refusal(request: HttpRequest) -> HttpResponse | None:
    """Return the answer to a caller who may not read these pages: 404 if nobody may, else 401. None: the caller may."""
    if not settings.METRICS_TOKEN and not settings.METRICS_NETWORKS:
        return HttpResponse(status=404)
    if has_token(request) or is_listed(client_address(request)):
        return None
    return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})


def has_token(request: HttpRequest) -> bool:
    """Tell whether the request has the token: `Authorization: Bearer ...`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN.encode()
    return bool(wanted) and scheme.lower() == "bearer" and compare_digest(token.strip().encode(), wanted)


def is_listed(address: str) -> bool:
    """Tell whether an IP address is in METRICS_NETWORKS."""
    caller = ipaddress.ip_address(address)
    return any(caller in ipaddress.ip_network(network) for network in settings.METRICS_NETWORKS)

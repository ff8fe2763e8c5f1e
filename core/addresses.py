"""From where a request came. The one place that reads X-Forwarded-For, and only as far as our own proxies wrote it."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "0.0.0.0"  # noqa: S104 - not bound to: what we say when a server tells us nothing


def client_address(request: HttpRequest) -> str:
    """Return the caller's IP address, as the outermost of our TRUSTED_PROXIES proxies saw it.

    Each proxy appends the address it was called from. With none, the header is the caller's own invention and is not
    read; with n, the n-th from the right is the last that one of ours wrote.
    """
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    proxies = settings.TRUSTED_PROXIES
    seen = hops[-min(proxies, len(hops))] if proxies and hops else request.META.get("REMOTE_ADDR", "")
    return str(_parsed(seen) or _parsed(request.META.get("REMOTE_ADDR", "")) or UNKNOWN)


def network_of(address: str) -> str:
    """Return what one caller can change at will: an IPv4 address, or the /64 of an IPv6 one (RFC 6177)."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found

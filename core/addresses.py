"""The caller's IP address. The only code that reads X-Forwarded-For, and it trusts only what our own proxies wrote."""

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest

WITH_PORT = re.compile(r"\[([0-9a-fA-F:.]+)\](?::[0-9]+)?|([0-9.]+):[0-9]+")
UNKNOWN = "0.0.0.0"  # noqa: S104 - nothing binds to it: it stands for an unknown address


def client_address(request: HttpRequest) -> str:
    """Return the caller's IP address, as seen by the outermost of our settings.TRUSTED_PROXIES proxies.

    Each proxy appends the address it was called from. Without proxies the header is ignored, because any caller can
    forge it. With n proxies, the n-th address from the right was written by our outermost proxy.
    """
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    proxies = settings.TRUSTED_PROXIES
    seen = hops[-min(proxies, len(hops))] if proxies and hops else request.META.get("REMOTE_ADDR", "")
    # What a proxy wrote and we cannot read is not the proxy's own address, which may be trusted with more.
    return str(_parsed(seen) or UNKNOWN)


def client_network(request: HttpRequest) -> str:
    """Return the caller's network. Whatever is counted or remembered by address uses this."""
    return network_of(client_address(request))


def network_of(address: str) -> str:
    """Return the network that counts as one caller: the IPv4 address, or the /64 of an IPv6 address (RFC 6177).

    A /64 is given as its first address, so that it can be stored where an address is.
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return address


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address; some proxies write its port too, as `192.0.2.1:4711` and `[2001:db8::1]:4711`."""
    if (match := WITH_PORT.fullmatch(text)) is not None:
        text = match[1] or match[2]
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed

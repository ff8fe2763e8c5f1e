"""Who may read metrics and status, and where errors are reported."""

import ipaddress

from django.core.exceptions import ImproperlyConfigured

from billing_site.settings.environment import LOCAL, env


def networks(name: str, values: list[str]) -> list[str]:
    """Return the IP networks in a variable. Raises ImproperlyConfigured."""
    found = [value.strip() for value in values if value.strip()]
    for item in found:
        try:
            ipaddress.ip_network(item)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} must be networks such as 10.0.0.0/8,10.1.2.3; {error}. Example: {name}=10.0.0.0/8"
            ) from None
    return found


def ratio(name: str, text: str) -> float:
    """Return a number from 0 to 1, 0 if the variable is blank. Raises ImproperlyConfigured."""
    try:
        number = float(text.strip() or "0")
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise ImproperlyConfigured(
            f"{name} must be a number from 0 to 1, such as 0.05; it is {text!r}. Example: {name}=0.05"
        )
    return number


# /metrics and /statusz are for whoever sends this token, or calls from these networks. Neither: for nobody. A local run
# lets the same machine read them.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="").strip()
METRICS_NETWORKS = networks("METRICS_NETWORKS", env.list("METRICS_NETWORKS", default=[]))
if LOCAL and not METRICS_TOKEN and not METRICS_NETWORKS:
    METRICS_NETWORKS = ["127.0.0.0/8", "::1/128"]
# Errors are reported there. Blank: nowhere, and the library is not even loaded.
SENTRY_DSN = env.str("SENTRY_DSN", default="").strip()
SENTRY_ENVIRONMENT = env.str("SENTRY_ENVIRONMENT", default="production")
# The part of all requests and tasks whose timing is reported too.
SENTRY_TRACES = ratio("SENTRY_TRACES", env.str("SENTRY_TRACES", default="0"))

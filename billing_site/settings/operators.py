"""Who may read metrics and status, and where errors are reported."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from billing_site.settings.environment import LOCAL, env


def metrics_token(text: str) -> str:
    """Return the token. Raises ValueError for one that is short."""
    if text and (len(text) < 24 or len(text.split()) > 1):
        raise ValueError
    return text


def dsn(text: str) -> str:
    """Return the DSN. Raises ValueError for one that the library would refuse."""
    parts = urlsplit(text)
    is_whole = parts.scheme in ("http", "https") and parts.username and parts.hostname
    if text and not (is_whole and parts.path.rpartition("/")[2].isdigit()):
        raise ValueError
    return text


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
METRICS_TOKEN = env.parsed(
    "METRICS_TOKEN", metrics_token, default="", allowed="24 characters or more, without spaces",
    example="$(openssl rand -base64 24)", is_secret=True,
)  # fmt: skip
METRICS_NETWORKS = env.networks("METRICS_NETWORKS")
if LOCAL and not METRICS_TOKEN and not METRICS_NETWORKS:
    METRICS_NETWORKS = ["127.0.0.0/8", "::1/128"]
# Errors are reported there. Blank: nowhere, and the library is not even loaded.
SENTRY_DSN = env.parsed(
    "SENTRY_DSN", dsn, default="", allowed="the DSN of a project, a URL with its public key and its number",
    example="https://key@sentry.example.com/1", is_secret=True,
)  # fmt: skip
SENTRY_ENVIRONMENT = env.str("SENTRY_ENVIRONMENT", default="production")
# The part of all requests and tasks whose timing is reported too.
SENTRY_TRACES = ratio("SENTRY_TRACES", env.str("SENTRY_TRACES", default="0"))

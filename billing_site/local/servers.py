"""The embedded servers under var/: those that a run needs, and those that `make stop` may have to stop."""

from billing_site.environment import env
from billing_site.local.lease import Server
from billing_site.local.paths import VAR
from billing_site.local.postgres import Postgres
from billing_site.local.valkey import Valkey


def needed() -> list[Server]:
    """Return the servers that no environment variable replaces, in the order of their start."""
    servers: list[Server] = []
    if not env.str("DATABASE_URL"):
        servers.append(Postgres(VAR / "postgres"))
    if not (env.str("CELERY_BROKER_URL") and env.str("CACHE_URL")):
        servers.append(Valkey(VAR / "valkey"))
    return servers


def running() -> list[Server]:
    """Return the running servers of `make run` and of the tests, in the order in which to stop them."""
    every: list[Server] = [Valkey(VAR / "valkey"), Postgres(VAR / "postgres")]
    every += [Valkey(VAR / "valkey-test"), Postgres(VAR / "postgres-test")]
    return [server for server in every if server.pid()]

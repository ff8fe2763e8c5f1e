"""The database: its version, our rights, its settings, migrations, and its clock against ours."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.apps import apps
from django.conf import settings
from django.db import connection

from billing_site import health, unfinished_indexes
from billing_site.doctor.result import Result, fails, ok, warning
from core import clock

OLDEST, NEWEST = 15, 18
# Settings of the server that must have this value, and why.
MUST_BE = {
    "fsync": ("on", "a crash of the machine would lose money"),
    "full_page_writes": ("on", "a crash of the machine could damage tables"),
    "synchronous_commit": ("on", "a crash of the server would lose what was already answered"),
    "server_encoding": ("UTF8", "texts could not be stored"),
    "session_replication_role": ("origin", "the triggers that guard the ledger would not run"),
    "TimeZone": ("UTC", "times would be shown in another zone in the database's own tools"),
    "default_transaction_read_only": ("off", "nothing could be written"),
}
# Settings of a local server, which tests and trials may have without harm.
OF_A_CRASH = {"fsync", "full_page_writes", "synchronous_commit"}
# Requests are dated by this machine's clock, billing by the database's.
FURTHEST_OFF = timedelta(seconds=5)
# So much of max_connections may be in use.
MOST_CONNECTIONS = 0.8


def server() -> Iterator[Result]:
    """Examine the version and whether it is a primary server."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), pg_is_in_recovery(), pg_database_size(current_database())"
        )
        version, is_replica, size = cursor.fetchone()
    major = int(version.split(".")[0])
    says = f"PostgreSQL {version}, {size / 2**20:.0f} MiB"
    if not OLDEST <= major <= NEWEST:
        yield fails("database", says, f"Use PostgreSQL {OLDEST} to {NEWEST}.")
    elif is_replica:
        yield fails("database", f"{says}, a read-only replica", "Let DATABASE_URL name the primary server.")
    else:
        yield ok("database", says)


def rights() -> Iterator[Result]:
    """Examine whether our role may use every table, and is no superuser."""
    tables = [model._meta.db_table for model in apps.get_models() if model._meta.managed]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('is_superuser') = 'on'")
        role, is_superuser = cursor.fetchone()
        # An absent table is the subject of the migrations.
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL"
            " AND NOT (has_table_privilege(to_regclass(name), 'SELECT')"
            " AND has_table_privilege(to_regclass(name), 'INSERT'))",
            [tables],
        )
        closed = [name for (name,) in cursor.fetchall()]
    if closed:
        yield fails("rights", f"{role} may not use {', '.join(closed[:5])}", f"GRANT ALL ON ALL TABLES TO {role}.")
    elif is_superuser and not settings.LOCAL:
        yield warning(
            "rights", f"{role} is a superuser, for whom no trigger or right is certain", "Use a role of its own."
        )
    else:
        yield ok("rights", f"{role} may use all {len(tables)} tables")


def parameters() -> Iterator[Result]:
    """Examine the settings of the server, and how many connections are in use."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(MUST_BE)])
        found = dict(cursor.fetchall())
        cursor.execute(
            "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity"
            " WHERE backend_type = 'client backend'"
        )
        used, most = cursor.fetchone()
    for name, (wanted, why) in MUST_BE.items():
        value = found.get(name, wanted)
        if value not in (wanted, "Etc/UTC") and not (settings.LOCAL and name in OF_A_CRASH):
            yield fails("database settings", f"{name} is {value}: {why}", f"Set {name} = {wanted} in postgresql.conf.")
    if used > most * MOST_CONNECTIONS:
        yield warning("connections", f"{used} of {most} are in use", "Raise max_connections, or run fewer processes.")
    else:
        yield ok("connections", f"{used} of {most} are in use")


def migrations() -> Iterator[Result]:
    """Examine whether all migrations are applied."""
    said = health.migrations()
    if said == health.OK:
        yield ok("migrations", "all are applied")
    else:
        yield fails("migrations", said, "Run `manage.py migrate`.")


def indexes() -> Iterator[Result]:
    """Examine whether an index was left half-built, which costs at each write and helps no query."""
    found = unfinished_indexes.invalid()
    for index in found:
        do = f"Run `manage.py migrate`. If it is still there, run REINDEX INDEX CONCURRENTLY {index.name} in psql."
        yield fails("indexes", f"{index.name} of {index.table} is invalid: building it was interrupted", do)
    if not found:
        yield ok("indexes", "all are valid")


def clocks() -> Iterator[Result]:
    """Compare this machine's clock with the database's."""
    before = datetime.now(UTC)
    theirs = clock.now()
    after = datetime.now(UTC)
    off = max(before - theirs, theirs - after, timedelta(0)).total_seconds()
    says = f"{off:.1f} s off the database's"
    if off > FURTHEST_OFF.total_seconds():
        yield fails("clock", says, "Synchronise the clocks of both machines (NTP): requests are dated by this one.")
    else:
        yield ok("clock", says)

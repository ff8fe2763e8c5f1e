"""A process killed in the middle of a statement: PostgreSQL ends its session, and nobody waits for its locks."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings

from core.columns import run
from tests.flows.site import wait_for

# It would sleep for an hour: without limits of its own only the loss of its client ends it.
STATEMENT = "SET statement_timeout = 0; SELECT pg_advisory_lock(20261202), pg_sleep(3600)"
PROGRAM = f"import django; django.setup(); from core.columns import run; run({STATEMENT!r}, [])"
HELD = """
    SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND objid = 20261202 AND datname = current_database()
"""


def is_held() -> bool:
    return run(HELD, []) == [(1,)]


@pytest.mark.django_db(transaction=True)
def test_a_killed_process_keeps_no_lock(child_environment):
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=child_environment, cwd=settings.BASE_DIR)
    try:
        wait_for(is_held, "the statement")
        os.kill(process.pid, signal.SIGKILL)
        wait_for(lambda: not is_held(), "the end of its session")
    finally:
        process.kill()
        process.wait()

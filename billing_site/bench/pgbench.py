"""PostgreSQL's own benchmark, as the yardstick for one transaction at a time."""

import re
import shutil
import subprocess

from django.conf import settings

from billing_site.local.postgres import Postgres


def tpcb(url: str, seconds: float) -> float:
    """Return the transactions a second of pgbench's TPC-B-like script, 8 connections, at scale 10."""
    wheel = Postgres(settings.VAR_DIR / "postgres").binaries
    program = shutil.which("pgbench", path=str(wheel)) or shutil.which("pgbench")
    if program is None:
        raise RuntimeError("pgbench is needed for the comparison; it comes with PostgreSQL")
    subprocess.run([program, "-i", "-q", "-s", "10", url], check=True, capture_output=True)  # noqa: S603 - fixed words
    command = [program, "-c", "8", "-j", "2", "-T", str(int(seconds)), url]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - fixed words
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])

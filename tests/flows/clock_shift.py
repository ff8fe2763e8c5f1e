"""Runs a program of the product as it will be: `python clock_shift.py SECONDS celery worker ...`.

The whole process lives then, its children too, and reads the database's clock as it will stand. The product knows
nothing of it. No test lives here.
"""

import runpy
import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import time_machine

if __name__ == "__main__":
    ahead = timedelta(seconds=float(sys.argv[1]))
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
    if ahead:
        time_machine.travel(datetime.now(UTC) + ahead).start()
        clock = import_module("core.clock")
        setattr(clock, "now", lambda told=clock.now: told() + ahead)  # noqa: B010 - a module has no such attribute to mypy
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)

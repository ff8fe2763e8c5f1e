"""Run a program of the product some time in the future: `python clock_shift.py SECONDS celery worker ...`.

The clocks of the process and of its children, and the database's clock as they read it, are ahead by SECONDS.
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
        setattr(clock, "now", lambda now=clock.now: now() + ahead)  # noqa: B010 - mypy rejects an assignment to a module's function
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)

"""Runs a program of the product on a machine whose clock is ahead: `python shifted.py SECONDS celery worker ...`.

The whole process lives then, its children too. The product knows nothing of it. No test lives here.
"""

import runpy
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

if __name__ == "__main__":
    ahead = timedelta(seconds=float(sys.argv[1]))
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
    if ahead:
        time_machine.travel(datetime.now(UTC) + ahead).start()
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)

"""Signals to the launcher at any moment, one or several in quick succession, leave nothing behind.

There are 50 turns. Most use light stand-ins for `prepare`, web, worker and scheduler, on a real PostgreSQL and Valkey,
and hit every phase of the start; the others use the real programs.
"""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.billing_site.local.launcher import READY, Running, free_port, make_stop, nothing_is_left, processes_of

pytestmark = pytest.mark.timeout(400)
LIGHT_TURNS, REAL_TURNS = 44, 6
# Children that take a moment to end after SIGTERM.
LIGHT = """
import sys
from billing_site.local import run
slow = "trap 'sleep 0.2; exit 0' TERM; while :; do sleep 0.05; done"
run.PREPARE = ["sleep", "0.3"]
run.commands = lambda: {name: ["sh", "-c", slow] for name in ("web", "worker", "beat")}
run.Launcher._web_answers = lambda self, pause: True
sys.exit(run.main())
"""

# A signal to the whole group that strikes a child in the moment before it has its own session.
STRUCK = """
import sys
from billing_site.local import run
run.PREPARE = ["true"]
run.commands = lambda: {"web": ["sleep", "60"]}
run.Launcher._web_answers = lambda self, pause: True
struck = ["sh", "-c", "kill -TERM $PPID; kill -TERM $$"]
"""
CHILDREN = {"prepare": "run.PREPARE = struck", "web": "run.commands = lambda: {'web': struck}"}


def signalled(var: Path, program: str, chance: random.Random, longest: float) -> Running:
    """Start a launcher, send it signals from a random moment on, and wait until it ends."""
    run = Running(var, free_port(), program=program)
    time.sleep(chance.uniform(0, longest))
    for _ in range(chance.randint(1, 5)):
        number = chance.choice([signal.SIGINT, signal.SIGTERM])
        # To the process, as `kill` does, or to its whole group, as Ctrl-C and `timeout` do.
        if run.process.poll() is None:
            chance.choice([os.kill, os.killpg])(run.process.pid, number)
        time.sleep(chance.choice([0, 0.001, 0.05, 0.3]))
    run.process.wait(timeout=60)
    return run


def seconds_to_start(var: Path, program: str) -> float:
    """Start once, which fills var/; then once more, and return how long that took."""
    for _ in range(2):
        began = time.monotonic()
        run = Running(var, free_port(), program=program)
        run.wait_for(READY)
        took = time.monotonic() - began
        run.process.terminate()
        assert run.process.wait(timeout=60) == 0, run.output
    return took


@pytest.mark.parametrize(("turns", "program"), [(LIGHT_TURNS, LIGHT), (REAL_TURNS, "")], ids=["light", "real"])
def test_signals_at_random_moments_leave_nothing_behind(tmp_path, turns, program):
    var = tmp_path / "var"
    longest = 1.2 * seconds_to_start(var, program)
    for turn in range(turns):
        run = signalled(var, program, random.Random(turn), longest)
        # A signal that comes before the handlers are set, while Python imports, ends the process.
        assert run.process.returncode in (0, -signal.SIGINT, -signal.SIGTERM), f"turn {turn}: {run.output}"
        assert "Traceback" not in run.output, f"turn {turn}: {run.output}"
        assert nothing_is_left(var), f"turn {turn}: {processes_of(var)}\n{run.output}"
        assert not (var / "run.children").exists(), f"turn {turn}"
    stop = make_stop(run.environment)
    assert (stop.returncode, stop.stdout) == (0, "Nothing was running.\n")


@pytest.mark.parametrize("child", CHILDREN)
def test_a_child_that_ends_by_the_same_signal_is_no_failure(tmp_path, child):
    run = Running(tmp_path / "var", free_port(), program=f"{STRUCK}{CHILDREN[child]}\nsys.exit(run.main())\n")
    assert run.process.wait(timeout=60) == 0, run.output
    assert "ended with" not in run.output
    assert "could not be prepared" not in run.output

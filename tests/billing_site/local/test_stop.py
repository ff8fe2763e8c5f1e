"""`make stop` ends the launcher that holds the lock, and nobody else."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from billing_site.local import processes
from tests.billing_site.local.launcher import Running, free_port, make_stop

# Holds a lock file, says so, and waits.
HOLD = """
import fcntl, sys
lock = open(sys.argv[1], "r+")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def stop(var: Path) -> "subprocess.CompletedProcess[str]":
    return make_stop({"PATH": os.environ["PATH"], "VAR_DIR": str(var), "LOCAL": "1"})


@pytest.mark.parametrize("after_the_number", ["", " another start"])
def test_a_program_that_a_stale_lock_names_is_left_alone(tmp_path, after_the_number):
    """The launcher was killed, and another `make stop` holds the lock at this moment."""
    lock = tmp_path / "run.lock"
    with subprocess.Popen(["sleep", "60"]) as stranger:
        lock.write_text(f"{stranger.pid}{after_the_number}")
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with holder:
            assert holder.stdout
            assert holder.stdout.readline() == "held\n"
            assert stop(tmp_path).stdout == "Nothing was running.\n"
            assert stranger.poll() is None
            holder.communicate("", timeout=10)
        stranger.kill()


def test_the_lock_of_a_killed_launcher_is_emptied(tmp_path):
    lock = tmp_path / "run.lock"
    lock.write_text(f"{os.getpid()} {processes.start_of(os.getpid())}")
    assert stop(tmp_path).stdout == "Nothing was running.\n"
    assert lock.read_text() == ""


def test_a_launcher_that_has_left_is_named_nowhere(tmp_path):
    with (tmp_path / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = Running(tmp_path, free_port())
        assert refused.process.wait(timeout=30) == 1
    assert refused.output == "`make run` or `make stop` is at work here at this moment. Try again.\n"
    refused = Running(tmp_path, free_port(), HOST="203.0.113.1")
    assert refused.process.wait(timeout=30) == 1
    assert "cannot be used on 203.0.113.1" in refused.output
    assert (tmp_path / "run.lock").read_text() == ""

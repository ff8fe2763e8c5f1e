"""Which signals ask the launcher to stop."""

import os
import signal
import subprocess
import sys

import pytest

from tests.billing_site.local.launcher import ROOT

# Sends itself a signal and says whether that asks to stop.
PROGRAM = """
import os, signal, sys
from billing_site.local.signals import Stop, StopSignals
signals = StopSignals()
os.kill(os.getpid(), int(sys.argv[1]))
try:
    signals.pause(0.2)
except Stop:
    print("stop")
else:
    print("go on")
"""


@pytest.fixture
def hangup_ends():
    """Let programs begin as in a terminal, where SIGHUP is not ignored, even if the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangup_ends")
@pytest.mark.parametrize(
    ("prefix", "number", "answer"),
    [
        ([], signal.SIGHUP, "stop"),
        ([], signal.SIGTERM, "stop"),
        (["nohup"], signal.SIGHUP, "go on"),
        (["nohup"], signal.SIGTERM, "stop"),
        (["nohup"], signal.SIGINT, "stop"),
    ],
)
def test_nohup_keeps_a_closed_terminal_from_stopping_the_run(prefix, number, answer):
    ran = subprocess.run(
        [*prefix, sys.executable, "-c", PROGRAM, str(int(number))],
        cwd=ROOT, env=os.environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ran.stdout == f"{answer}\n", ran.stderr

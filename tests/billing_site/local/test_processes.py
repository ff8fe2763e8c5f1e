"""Ending processes that a killed launcher has recorded."""

import json
import subprocess
import sys

import pytest

from billing_site.local import children, processes


@pytest.fixture(autouse=True)
def _own_record(tmp_path, monkeypatch):
    monkeypatch.setattr(children, "RECORD", tmp_path / "run.children")


def test_a_program_with_the_process_number_of_a_former_child_is_left_alone():
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        children.record({"web": other.pid})
        (pid, start) = json.loads(children.RECORD.read_text())["web"]
        children.RECORD.write_text(json.dumps({"web": [pid, f"{start}0"]}))
        assert children.end_recorded(patience=1) == ([], [])
        assert other.poll() is None
        other.kill()


def test_a_child_that_ignores_sigterm_is_killed():
    ignores_sigterm = [
        sys.executable,
        "-c",
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)",
    ]
    with subprocess.Popen(ignores_sigterm, start_new_session=True, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        children.record({"beat": child.pid})
        assert children.end_recorded(patience=0.5) == (["beat"], [])
        # Long before its sleep is over. The exit code is not checked: billiard may have waited for the child (pid -1).
        child.wait(timeout=10)
    assert children.end_recorded(patience=0.5) == ([], [])


def test_a_command_that_a_signal_struck_before_it_began_is_run_again(tmp_path):
    """The first time it kills itself, as a signal to the launcher's group does before it has a session of its own."""
    mark = tmp_path / "struck"
    done = processes.run_apart(["sh", "-c", f'[ -e {mark} ] || {{ : > {mark}; kill -TERM $$; }}; echo "$PPID" done'])
    assert (done.returncode, done.stdout.split()[-1]) == (0, "done")
    assert processes.run_apart(["sh", "-c", "exit 3"]).returncode == 3

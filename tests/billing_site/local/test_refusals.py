"""What `make run` and `make stop` cannot use is refused in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from billing_site.local import children, lease
from billing_site.local.lease import ServerError
from billing_site.local.valkey import Valkey
from tests.billing_site.local.launcher import ROOT, START, free_port


def ran(module: str, var: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run the program of `make run` or `make stop` to its end."""
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(var), "LOCAL": "1", "PORT": str(free_port())} | more
    command = [sys.executable, *(("-c", START) if module == "run" else ("-m", f"billing_site.local.{module}"))]
    # A user for whom the permissions of files count. Root has all of them.
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("port", ["70000", "-1", "0", "abc", "8000.5", "80 00", "٨٠٠٠"])
def test_a_port_that_is_none_is_refused(tmp_path, port):
    refused = ran("run", tmp_path / "var", PORT=port)
    assert refused.returncode == 1
    assert refused.stderr == f"PORT is {port!r}, but must be a number from 1 to 65535: PORT=8100 make run\n"
    assert not (tmp_path / "var").exists()


def test_an_empty_port_is_the_usual_one(tmp_path):
    refused = ran("run", tmp_path / "var", PORT="", HOST="203.0.113.1")
    assert "Port 8000 cannot be used on 203.0.113.1" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_after_the_highest_port_a_possible_one_is_suggested(tmp_path):
    refused = ran("run", tmp_path / "var", PORT="65535", HOST="203.0.113.1")
    assert "PORT=8000 make run" in refused.stderr


def test_a_file_in_place_of_the_directory_is_refused(tmp_path):
    (tmp_path / "var").write_text("")
    refused = ran("run", tmp_path / "var")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{tmp_path}/var cannot be used: File exists: ")
    assert refused.stderr.count("\n") == 1
    stopped = ran("stop", tmp_path / "var")
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (0, "Nothing was running.\n", "")


@pytest.mark.parametrize(("mode", "module"), [(0o500, "run"), (0o000, "run"), (0o000, "stop")])
def test_a_directory_that_we_may_not_use_is_refused(tmp_path, mode, module):
    (tmp_path / "var").mkdir(mode=mode)
    refused = ran(module, tmp_path / "var")
    (tmp_path / "var").chmod(0o700)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{tmp_path}/var cannot be used: Permission denied: ")
    assert refused.stderr.count("\n") == 1


def test_files_of_another_user_are_named(tmp_path, monkeypatch):
    def refuse(file: Path) -> int:
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(lease, "_open", refuse)
    with pytest.raises(ServerError, match=r"Permission denied: .*/valkey\.lease"):
        Valkey(tmp_path / "valkey").hold()


@pytest.mark.parametrize("text", ["[]", '{"web": 5}', "5", '{"web": [5]}', '{"web": ["x", "y"]}', "{", ""])
def test_a_record_of_children_that_is_none_is_ignored(tmp_path, monkeypatch, text):
    monkeypatch.setattr(children, "RECORD", tmp_path / "run.children")
    children.RECORD.write_text(text)
    assert children.end_recorded(patience=1) == ([], [])

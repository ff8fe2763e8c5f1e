"""The memory of the counts: whatever happens to it, requests are answered, and so is /metrics."""

import errno
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory

from billing_site import health, operators
from billing_site.metrics import multiprocess, page, requests
from billing_site.metrics.allocation import FIRST_SIZE, ReservedDict
from billing_site.request_log import RequestLog

# Requests of a process whose counts are in a folder: each status is a series. Then what a scrape finds.
COUNTING = """
import django; django.setup()
import os, shutil, sys
from django.http import HttpResponse
from django.test import RequestFactory
from billing_site.metrics import page
from billing_site.request_log import RequestLog

def ask(status):
    answer = RequestLog(lambda _request: HttpResponse(status=status))(RequestFactory().get("/"))
    assert answer.status_code == status

{before}
for status in range(200, 500):
    ask(status)
{after}
from prometheus_client import multiprocess
text = page.answer(RequestFactory().get("/metrics")).content.decode()
print("COUNTED", sum("billing_request_seconds_count" in line for line in text.splitlines()))
"""


def run(
    environment: dict[str, str], folder: Path, *prefix: str, before: str = "", after: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run a process that counts in this folder, by way of the command in `prefix`."""
    return subprocess.run(
        [*prefix, sys.executable, "-c", COUNTING.format(before=before, after=after)],
        env=environment | {multiprocess.VARIABLE: str(folder), "DJANGO_SETTINGS_MODULE": "billing_site.settings"},
        cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def counted(done: "subprocess.CompletedProcess[str]") -> int:
    assert done.returncode == 0, f"{done.returncode} {done.stdout[-1500:]} {done.stderr[-1500:]}"
    return int(done.stdout.split("COUNTED ")[1])


def complaints(done: "subprocess.CompletedProcess[str]") -> list[str]:
    return [line for line in done.stdout.splitlines() if "requests_not_counted" in line]


# A mount that only this process sees, which a user needs no right for where the kernel allows it.
SMALL = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs -o size="$0" small "$1" && shift && "$@"']


def may_mount(folder: Path) -> bool:
    try:
        return subprocess.run([*SMALL, "256k", str(folder), "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("size", "least"), [("0", 300), ("256k", 20), ("16k", 0)])
def test_a_process_lives_when_the_memory_is_full(child_environment, tmp_path, size, least):
    if not may_mount(tmp_path):
        pytest.skip("this machine allows no mounts")
    done = run(child_environment, tmp_path, *SMALL, size, str(tmp_path))
    assert least <= counted(done) <= 300
    assert len(complaints(done)) == (0 if size == "0" else 1), "one line for each process"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_folder_that_was_removed_is_made_again(child_environment, tmp_path, when):
    folder = tmp_path / "counts"
    folder.mkdir()
    done = run(child_environment, folder, **{when: f"shutil.rmtree({str(folder)!r})"})
    assert counted(done) == (300 if when == "before" else 0)
    assert complaints(done) == []
    assert folder.is_dir()


def test_a_new_file_and_a_grown_one_take_their_memory_at_once(tmp_path):
    counts = ReservedDict(str(tmp_path / "counter_1.db"))
    for number in range(1000):
        counts.write_value(f"{number}" * 100, number, 0.0)
    found = (tmp_path / "counter_1.db").stat()
    assert found.st_size > 4 * FIRST_SIZE
    assert found.st_blocks * 512 >= found.st_size, "no page of it is still to be found"
    assert counts.read_value("7" * 100) == (7.0, 0.0)
    counts.close()
    again = ReservedDict(str(tmp_path / "counter_1.db"))
    assert again.read_value("999" * 100) == (999.0, 0.0)
    again.close()


@pytest.fixture
def _full(monkeypatch):
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(requests, "observe", full)
    yield
    requests._failed.clear()


@pytest.mark.usefixtures("_full")
def test_an_error_of_counting_is_logged_once_and_harms_no_request(written):
    for _ in range(3):
        assert RequestLog(lambda _request: HttpResponse("yes"))(RequestFactory().get("/")).content == b"yes"
    lines = [line for line in map(json.loads, written.getvalue().splitlines()) if line["event"] != "request_finished"]
    assert [(line["event"], line["error"]) for line in lines] == [("requests_not_counted", "OSError")]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder in which another process has counted 3 of something."""
    monkeypatch.setenv(multiprocess.VARIABLE, str(tmp_path / "counts"))
    (tmp_path / "counts").mkdir()
    counts = ReservedDict(str(tmp_path / "counts/counter_1.db"))
    counts.write_value(json.dumps(["of_another", "of_another_total", {}, "Something."]), 3.0, 0.0)
    counts.close()
    return tmp_path / "counts"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [b"", b"odd", b"\x7f" * 100, b"\x40\0\0\0\0\0\0\0\x04\0\0\0odd    " + b"\0" * 60, b"\x20\0\0\0" * 20, None],
    ids=["empty", "short", "no_length", "no_json", "no_end", "folder"],
)
def test_a_file_that_cannot_be_read_is_left_out(folder, content, written):
    bad = folder / "counter_2.db"
    if content is None:
        bad.mkdir()
    else:
        bad.write_bytes(content)
    text = page.answer(RequestFactory().get("/metrics")).content.decode()
    assert "of_another_total 3.0" in text
    assert "billing_database_up 1.0" in text
    lines = [json.loads(line) for line in written.getvalue().splitlines() if "metrics_not_read" in line]
    assert [line["part"] for line in lines] == ["counter_2.db"]


@pytest.mark.django_db
def test_without_its_folder_the_page_has_the_rest(folder):
    (folder / "counter_1.db").unlink()
    folder.rmdir()
    assert "billing_database_up 1.0" in page.answer(RequestFactory().get("/metrics")).content.decode()


@pytest.mark.parametrize("there", [True, False])
def test_without_memory_the_counts_are_elsewhere_or_apart(monkeypatch, tmp_path, caplog, there):
    """A folder that is read-only or full is no reason not to start."""
    # Set first, so that what `prepare` sets is taken back.
    monkeypatch.setenv(multiprocess.VARIABLE, "x")
    monkeypatch.delenv(multiprocess.VARIABLE)
    monkeypatch.setattr(multiprocess, "MEMORY", tmp_path / "missing")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path if there else tmp_path / "missing too"))
    assert multiprocess.memory() is None
    made = multiprocess.prepare()
    assert (made is not None and made.parent == tmp_path) == there
    assert (multiprocess.folder() is not None) == there
    assert len(caplog.records) == (0 if there else 1)


def test_a_page_that_cannot_be_written_is_503(monkeypatch):
    def fails(_request: object) -> HttpResponse:
        raise ValueError("an odd name")

    monkeypatch.setattr(page, "answer", fails)
    monkeypatch.setattr(operators, "refusal", lambda _request: None)
    assert health.metrics_page(RequestFactory().get("/metrics")).status_code == 503

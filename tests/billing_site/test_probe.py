"""The health checks of containers."""

import tempfile
import time

import pytest

from billing_site import probe


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))


def test_a_process_that_turns_is_alive():
    probe.alive("beat")
    assert probe.problem("beat", now=time.time()) == ""


def test_a_process_that_has_not_begun_is_not_alive():
    assert probe.problem("beat", now=0) == "beat has not begun"


def test_a_process_that_stands_still_is_not_alive():
    probe.alive("billing")
    turned = probe.file_of("billing").stat().st_mtime
    assert probe.problem("billing", now=turned + 60) == ""
    assert probe.problem("billing", now=turned + 61) == "billing has stood still for 61 s"


def test_a_full_disk_does_not_stop_the_process(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "absent"))
    probe.alive("beat")


def test_the_mark_is_not_written_through_a_link(tmp_path):
    probe.file_of("beat").symlink_to(tmp_path / "other")
    probe.alive("beat")
    assert not (tmp_path / "other").exists()


def test_web_is_asked_at_its_own_port(monkeypatch, live_server):
    host, port = live_server.url.removeprefix("http://").split(":")
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("PORT", port)
    assert probe.problem("web", now=0) == ""
    monkeypatch.setenv("PORT", "1")
    assert probe.problem("web", now=0).startswith(f"http://{host}:1/livez: ")

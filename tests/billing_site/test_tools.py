"""Programs that tests need are installed where possible; otherwise their tests are left out with a notice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.selection import is_long

# A stand-in for apt-get: it installs a package by writing a program of that name, which exits 0, beside itself.
APT_GET = """#!/bin/sh
for package; do :; done
case " $* " in *" install "*) printf '#!/bin/sh\n' >"${0%/*}/$package" && /bin/chmod +x "${0%/*}/$package";; esac
"""
SUDO = """#!/bin/sh
shift && exec "$@"
"""
PROBE = (
    "from tests import tools; print([tool.name for tool in tools.missing() if tool.name not in ('a font', 'Pango')])"
)


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """Return an environment with no program but `env` and `true`, where Playwright cannot download anything."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("env", "true"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    return {
        "PATH": str(programs), "HOME": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "browsers"),
        "PLAYWRIGHT_DOWNLOAD_HOST": "http://127.0.0.1:1",
    }  # fmt: skip


def add(bare: dict[str, str], name: str, script: str) -> None:
    """Add a program to the environment."""
    program = Path(bare["PATH"], name)
    program.write_text(script)
    program.chmod(0o755)


def test_missing_programs_are_installed_with_apt_get(bare):
    add(bare, "apt-get", APT_GET)
    add(bare, "sudo", SUDO)
    assert "Chromium" in run("-c", PROBE, **bare).stdout
    done = run("-m", "tests.tools", **bare)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Installing what the tests need: Chromium")
    assert run("-c", PROBE, **bare).stdout == "[]\n"


def test_the_run_goes_on_where_nothing_can_be_installed(bare):
    done = run("-m", "tests.tools", **bare)
    assert (done.returncode, done.stderr) == (0, "")
    assert "playwright install --no-shell chromium: exit code" in done.stdout


def test_a_browser_that_does_not_start_is_not_used(bare):
    """As on Ubuntu, where `chromium-browser` may only print how to install it."""
    add(bare, "chromium-browser", "#!/bin/sh\nexit 1\n")
    assert "Chromium" in run("-c", PROBE, **bare).stdout
    add(bare, "google-chrome", "#!/bin/sh\n")
    assert "Chromium" not in run("-c", PROBE, **bare).stdout


def pytest_run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a file with one browser test, where CHROMIUM names a browser that does not exist."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "EVERYTHING"))}
    arguments = ["-m", "pytest", "tests/core/api/test_schema.py", *words]
    return run(*arguments, **ours, **{"CHROMIUM": "/nowhere"} | environment)


LINE = "Without Chromium, the tests marked browser are left out. To run them too: unset CHROMIUM"


@pytest.mark.parametrize("processes", ["0", "1"])
def test_browser_tests_are_left_out_and_the_last_line_says_so(processes):
    done = pytest_run("-k", "works_in_a_browser", "-n", processes)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == LINE


def test_a_run_without_browser_tests_does_not_mention_them():
    done = pytest_run("-k", "never_contain_passwords", "-n", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout.splitlines()[-1]


def test_a_run_of_everything_stops_before_the_first_test():
    done = pytest_run("-n", "1", EVERYTHING="1")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    last_line = done.stderr.strip().splitlines()[-1]
    # The machine may lack more than Chromium.
    assert last_line.startswith("ERROR: Without Chromium")
    assert "To run them too: unset CHROMIUM" in last_line
    assert "test session starts" not in done.stdout


def test_long_tests_come_first(request):
    order = [is_long(item) for item in request.session.items]
    assert order == sorted(order, reverse=True)

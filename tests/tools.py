"""Programs that some tests need and pip does not install: how to find them and how to install them.

`python -m tests.tools` installs the missing ones if it can. tests/selection.py leaves out the tests of a program that
is still missing.
"""

import ctypes.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# The names in Debian, Ubuntu and Google's packages.
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHT_INSTALLER = [sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"]
APT = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet=2", "--option=DPkg::Lock::Timeout=60"]
PLAYWRIGHT_PATH = (
    "from playwright.sync_api import sync_playwright\n"
    "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
)
# Where fontconfig looks by default.
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
# In seconds: a slow connection may take minutes, but a dead one must not block the tests for ever.
INSTALL_LIMIT = 600


@dataclass(frozen=True)
class Tool:
    """A program, the pytest marker of the tests that need it, how to find it, and how to install it."""

    name: str
    marker: str
    find: Callable[[], str | None]
    # The Debian package, and the command that a notice suggests.
    package: str
    command: str


def chromium() -> str | None:
    """Return the path of a Chromium that starts: the one CHROMIUM names, else the system's or Playwright's."""
    return next((path for path in _browsers() if _starts(path)), None)


def _browsers() -> Iterator[str]:
    if named := os.environ.get("CHROMIUM"):
        yield named
        return
    yield from filter(None, map(shutil.which, CHROMIUM_NAMES))
    done = subprocess.run([sys.executable, "-c", PLAYWRIGHT_PATH], capture_output=True, text=True, check=False)
    yield done.stdout.strip()


def _starts(path: str) -> bool:
    """Return whether a browser starts. Ubuntu's may only print a notice, and Playwright's may lack a library."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def font() -> str | None:
    """Return the path of a font. Without any, pages crash in Debian's Chromium; other systems have fonts."""
    if sys.platform != "linux":
        return "the system's"
    folders = (Path(folder).expanduser() for folder in FONT_FOLDERS)
    return next((str(path) for folder in folders for path in folder.rglob("*.[ot]tf")), None)


def pgbouncer() -> str | None:
    """Return the path of PgBouncer. Debian puts it where only root looks for programs."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


def _from_debian(name: str, marker: str, find: Callable[[], str | None], package: str) -> Tool:
    return Tool(name, marker, find, package, f"sudo apt-get install {package}")


# Ubuntu's package of Chromium only points to a snap, so the notice suggests Playwright's installer.
CHROMIUM = Tool(
    "Chromium", "browser", chromium, "chromium", ".venv/bin/python -m playwright install --with-deps chromium"
)
TOOLS = (
    CHROMIUM,
    _from_debian("a font", "browser", font, "fonts-dejavu-core"),
    _from_debian("curl", "curl", lambda: shutil.which("curl"), "curl"),
    _from_debian("PgBouncer", "pooler", pgbouncer, "pgbouncer"),
    # A library that lays out the PDF of receipts and statements.
    _from_debian("Pango", "pdf", lambda: ctypes.util.find_library("pangoft2-1.0"), "libpangoft2-1.0-0"),
)


def missing(tools: Sequence[Tool] = TOOLS) -> list[Tool]:
    return [tool for tool in tools if not tool.find()]


def notice(tools: Sequence[Tool]) -> str:
    """Return a line that names the tests that are left out without `tools`, and the commands to install these."""
    names = " and ".join(tool.name for tool in tools)
    markers = " and ".join(dict.fromkeys(tool.marker for tool in tools))
    commands = " && ".join(tool.command if _may_install(tool) else "unset CHROMIUM" for tool in tools)
    return f"Without {names}, the tests marked {markers} are left out. To run them too: {commands}"


def install(tools: Sequence[Tool]) -> None:
    """Install them with apt-get if that needs no password, and a Chromium otherwise with Playwright's installer."""
    root = _as_root()
    if by_apt := root is not None and shutil.which("apt-get"):
        apt = [*root, *APT]
        _run([*apt, "update"])
        for tool in tools:
            _run([*apt, "install", "--yes", "--no-install-recommends", tool.package])
    if CHROMIUM in tools and not chromium():
        _run([*PLAYWRIGHT_INSTALLER, *(["--with-deps"] if by_apt else [])])


def _may_install(tool: Tool) -> bool:
    """Return whether the tool may be installed: no Chromium where the variable CHROMIUM names one."""
    return tool is not CHROMIUM or not os.environ.get("CHROMIUM")


def _as_root() -> list[str] | None:
    """Return the prefix that runs a command as root, or None if that needs a password."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "--non-interactive"]
    works = shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode == 0
    return sudo if works else None


def _run(command: list[str]) -> None:
    """Run a command silently; print one line if it fails."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=INSTALL_LIMIT, check=False,
        )  # fmt: skip
        fault = "" if done.returncode == 0 else f"exit code {done.returncode}"
    except subprocess.TimeoutExpired:
        fault = f"still running after {INSTALL_LIMIT} seconds"
    if fault:
        print(f"{' '.join(command)}: {fault}")


def main() -> None:
    if lacking := [tool for tool in missing() if _may_install(tool)]:
        print("Installing what the tests need: " + ", ".join(tool.name for tool in lacking))
        install(lacking)


if __name__ == "__main__":
    main()

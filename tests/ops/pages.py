"""Helpers: find the commands of a page, and run them as an operator would. No test lives here."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from billing_site.local.postgres import Postgres

ROOT = Path(settings.BASE_DIR)
BLOCK = re.compile(r"^ *```(sh|ini)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
PROGRAMS = Postgres(settings.VAR_DIR / "postgres-test").binaries


def blocks(page: str, heading: str, kind: str) -> str:
    """Return the commands (`sh`) or the settings (`ini`) under a heading of a page of docs/ops."""
    text = (ROOT / "docs/ops" / page).read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = [text for marked, text in BLOCK.findall(section) if marked == kind]
    return re.sub("^ +", "", "".join(found), flags=re.MULTILINE)


def run(commands: str, environment: Mapping[str, str]) -> str:
    """Run commands and return what they print; the first that fails fails the test."""
    path = os.pathsep.join([str(PROGRAMS), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-euc", commands], cwd=ROOT, env={**environment, "PATH": path}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

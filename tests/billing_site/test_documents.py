"""Files, modules, tables and commands that the documents name exist; commands, tasks and apps are documented."""

import re
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, cast

import pytest
from celery.schedules import crontab
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands

from billing_site.celery import app

ROOT = Path(settings.BASE_DIR)
OURS = ("billing_site", "payments", "subscriptions", "ledger", "events", "accounts", "core")
FOLDERS = (*OURS, "tests", "docs", "templates", "locale", "static")
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))]
# The gateway that docs/add-a-gateway.md invents.
INVENTED = "acme"

CODE_BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
IN_BACKTICKS = re.compile(r"`([^`\n]+)`")
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./-]*")
MODULE = re.compile(rf"(?:{'|'.join(OURS)}|tests)(?:\.\w+)+")
TABLE = re.compile(rf"({'|'.join(OURS)})_[a-z]+")
LINK = re.compile(r"\]\(([^)#:]+)\)")


def named_in(text: str) -> set[str]:
    """Return what a document writes in backticks outside its code blocks."""
    return set(IN_BACKTICKS.findall(CODE_BLOCK.sub("", text)))


def paths_in(text: str) -> set[str]:
    """Return the paths of this repository that a document names, in text, trees and code."""
    return {path.rstrip(".") for path in PATH.findall(text) if INVENTED not in path}


def modules_in(text: str) -> set[str]:
    """Return the dotted names of ours that a document writes in backticks, alone or as a call."""
    names = {name.split("(")[0] for name in named_in(text)}
    return {name for name in names if MODULE.fullmatch(name) and INVENTED not in name}


def exists(name: str) -> bool:
    """Return whether a dotted name is a module or something in one."""
    try:
        resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
class TestDocument:
    def test_every_path_exists(self, document: Path):
        assert [path for path in sorted(paths_in(document.read_text())) if not (ROOT / path).exists()] == []

    def test_every_module_exists(self, document: Path):
        assert [name for name in sorted(modules_in(document.read_text())) if not exists(name)] == []

    def test_every_table_exists(self, document: Path):
        tables = {model._meta.db_table for model in apps.get_models()}
        names = {match[0] for name in named_in(document.read_text()) if (match := TABLE.match(name))}
        assert names - tables == set()

    def test_every_link_leads_to_a_file(self, document: Path):
        links = LINK.findall(document.read_text())
        assert [link for link in links if not (document.parent / link).exists()] == []

    def test_every_command_exists(self, document: Path):
        text = document.read_text()
        commands = set(re.findall(r"manage\.py ([a-z_]+)", text))
        assert commands - set(get_commands()) == set()
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert set(re.findall(r"`(?:\w+=\S+ )*make ([a-z-]+)", text)) - targets == set()


def test_every_command_of_ours_is_in_the_runbook():
    runbook = (ROOT / "docs/runbook.md").read_text()
    missing = [name for name, owner in get_commands().items() if owner in OURS and f"manage.py {name}" not in runbook]
    assert missing == []


def test_the_tour_names_every_scheduled_task_and_how_often_it_runs():
    tour = (ROOT / "docs/ARCHITECTURE.md").read_text()
    rows = re.findall(r"^\| (\d+ (?:s|h)|[\d:]+ UTC) \| `([\w.]+)`", tour, re.MULTILINE)
    documented = {task: every for every, task in rows}
    assert documented == {str(entry["task"]): in_words(entry["schedule"]) for entry in app.conf.beat_schedule.values()}


def in_words(interval: Any) -> str:
    if isinstance(interval, crontab):
        # celery-types does not know the sets of hours and minutes.
        interval = cast(Any, interval)
        return f"{min(interval.hour):02}:{min(interval.minute):02} UTC"
    seconds = int(interval.total_seconds())
    return f"{seconds} s" if seconds < 3600 else f"{seconds // 3600} h"


def test_every_app_is_on_the_map():
    readme = (ROOT / "README.md").read_text()
    assert [name for name in OURS if f"\n{name}/" not in readme] == []


def test_every_make_target_has_a_line_of_help():
    makefile = (ROOT / "Makefile").read_text().splitlines()
    silent = [line for line in makefile if line.split(":")[0].isidentifier() and ":" in line and "## " not in line]
    assert silent == []


def test_the_readme_is_enough_to_start():
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:30])
    assert "make run" in first_screen
    assert "make test" in first_screen


def test_each_decision_says_context_decision_and_consequence():
    records = sorted((ROOT / "docs/adr").glob("0*.md"))
    assert len(records) >= 6
    for record in records:
        text = record.read_text()
        assert all(f"## {part}" in text for part in ("Context", "Decision", "Consequence")), record.name


def test_every_chapter_that_the_code_names_exists():
    named = [
        (document, chapter, file)
        for folder in OURS_FOLDERS
        for file in (ROOT / folder).rglob("*.py")
        for document, chapter in re.findall(r"docs/([\w-]+\.md), '([^']+)'", file.read_text())
    ]
    assert len(named) >= 3
    for document, chapter, file in named:
        headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / document).read_text(), re.MULTILINE)
        assert chapter in headings, f"{file}: {document}, '{chapter}'"


OURS_FOLDERS = ("core", "accounts", "events", "ledger", "subscriptions", "payments", "billing_site")

"""What an operator can run or set is written down."""

from pathlib import Path

from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
OURS = {"billing_site", "payments", "subscriptions", "ledger", "accounts"}


def test_every_command_of_ours_is_in_the_runbook():
    runbook = (ROOT / "docs/runbook.md").read_text()
    missing = [name for name, app in get_commands().items() if app in OURS and f"manage.py {name}" not in runbook]
    assert missing == []


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

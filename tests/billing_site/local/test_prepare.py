"""Preparing a start: a database of an older layout is recognised, static files are collected only if they changed."""

import os

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from billing_site.local import prepare


@pytest.fixture
def recorder(db) -> MigrationRecorder:
    return MigrationRecorder(connection)


def migrations_of(recorder: MigrationRecorder, app: str) -> list[tuple[str, str]]:
    """Return the applied migrations of an app, in order."""
    return sorted(key for key in recorder.applied_migrations() if key[0] == app)


def test_a_current_database_is_accepted(recorder):
    assert not prepare.is_of_an_older_layout()


def test_a_migration_that_the_code_does_not_have_means_an_older_layout(recorder):
    recorder.record_applied("ledger", "0000_of_before")
    assert prepare.is_of_an_older_layout()


def test_an_app_without_its_first_migration_means_an_older_layout(recorder):
    recorder.record_unapplied(*migrations_of(recorder, "payments")[0])
    assert prepare.is_of_an_older_layout()


def test_a_database_that_lacks_the_newest_migrations_is_accepted(recorder):
    recorder.record_unapplied(*migrations_of(recorder, "subscriptions")[-1])
    for migration in [*migrations_of(recorder, "payments"), *migrations_of(recorder, "billing_site")]:
        recorder.record_unapplied(*migration)
    assert not prepare.is_of_an_older_layout()


def test_migrations_of_libraries_do_not_matter(recorder):
    recorder.record_applied("axes", "9999_of_a_newer_release")
    recorder.record_applied("no_longer_installed", "0001_initial")
    assert not prepare.is_of_an_older_layout()


def test_the_advice_is_one_line_and_names_make_clean_only_for_a_local_database(settings):
    settings.EMBEDDED_POSTGRES = True
    assert "`make clean` deletes it and all local data" in prepare.what_to_do()
    settings.EMBEDDED_POSTGRES = False
    assert "make clean" not in prepare.what_to_do()
    assert "\n" not in prepare.what_to_do()


def test_static_files_are_collected_again_only_when_one_has_changed(settings, tmp_path):
    source = tmp_path / "source" / "page.css"
    source.parent.mkdir()
    source.write_text("a { color: red }")
    settings.STATICFILES_DIRS = [source.parent]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "static"
    prepare.collect_static_files()
    collected = settings.STATIC_ROOT / "page.css"
    os.utime(collected, (1, 1))
    prepare.collect_static_files()
    assert collected.stat().st_mtime == 1, "nothing changed, so nothing was written"
    source.write_text("a { color: blue }")
    prepare.collect_static_files()
    assert collected.read_text() == "a { color: blue }"

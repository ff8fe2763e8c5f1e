"""Before a start, an older database is recognised, and static files are collected only if they changed."""

import os

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from billing_site.local import prepare


@pytest.fixture
def recorder(db) -> MigrationRecorder:
    return MigrationRecorder(connection)


def of(recorder: MigrationRecorder, app: str) -> list[tuple[str, str]]:
    return sorted(key for key in recorder.applied_migrations() if key[0] == app)


def test_todays_database_is_not_of_an_older_layout(recorder):
    assert not prepare.is_of_an_older_layout()


def test_a_migration_of_ours_that_the_code_does_not_have_makes_it_one(recorder):
    recorder.record_applied("ledger", "0000_of_before")
    assert prepare.is_of_an_older_layout()


def test_so_does_an_app_that_lacks_its_first_migration(recorder):
    recorder.record_unapplied(*of(recorder, "payments")[0])
    assert prepare.is_of_an_older_layout()


def test_a_release_that_is_behind_by_a_migration_or_by_an_app_is_migrated(recorder):
    recorder.record_unapplied(*of(recorder, "subscriptions")[-1])
    for migration in of(recorder, "payments"):
        recorder.record_unapplied(*migration)
    assert not prepare.is_of_an_older_layout()


def test_migrations_of_libraries_are_their_own_matter(recorder):
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
    assert collected.stat().st_mtime == 1, "nothing changed, nothing was written"
    source.write_text("a { color: blue }")
    prepare.collect_static_files()
    assert collected.read_text() == "a { color: blue }"

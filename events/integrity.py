"""Integrity checks of the event log: its triggers exist."""

from core.integrity import guards

TRIGGERS = ("event_is_never_edited", "event_is_never_deleted", "events_are_never_truncated")

CHECKS = (guards("event_guards_are_there", (), TRIGGERS),)

"""Integrity checks of the event log and of the acts of staff: their triggers exist."""

from core.integrity import guards

TRIGGERS = ("event_is_never_edited", "event_is_never_deleted", "events_are_never_truncated")

ACT_TRIGGERS = ("staff_act_is_never_edited", "staff_act_is_never_deleted", "staff_acts_are_never_truncated")

CHECKS = (
    guards("event_guards_are_there", (), TRIGGERS),
    guards("staff_act_guards_are_there", (), ACT_TRIGGERS),
)

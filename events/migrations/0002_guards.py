"""Create the triggers that keep the event log append-only. Each is named after its rule."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER event_is_never_edited BEFORE UPDATE ON events_event FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('the event log is append-only: record another event that says what is true now');
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON events_event FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('the event log is append-only: record another event that says what is true now');
CREATE TRIGGER events_are_never_truncated BEFORE TRUNCATE ON events_event FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('the event log is append-only: events are never truncated');
"""

DROP_GUARDS = """
DROP TRIGGER event_is_never_edited ON events_event;
DROP TRIGGER event_is_never_deleted ON events_event;
DROP TRIGGER events_are_never_truncated ON events_event;
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_event_log"), ("core", "0002_refusal")]

    operations = [migrations.RunSQL(GUARDS, DROP_GUARDS)]

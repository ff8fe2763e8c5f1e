"""Counters for rates, in a table that is not worth a disk write; and the promise that no event is edited or erased."""

from django.db import migrations, models

EVENT_GUARDS = """
CREATE FUNCTION accounts_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event log is append-only: % is refused', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME,
              HINT = 'Record another event that says what is so now.';
END $$;
CREATE TRIGGER event_is_never_edited BEFORE UPDATE ON accounts_event
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_event_refuse();
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON accounts_event
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_event_refuse();
CREATE TRIGGER events_are_never_truncated BEFORE TRUNCATE ON accounts_event
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_event_refuse();
"""

EVENT_GUARDS_REVERSE = """
DROP TRIGGER event_is_never_edited ON accounts_event;
DROP TRIGGER event_is_never_deleted ON accounts_event;
DROP TRIGGER events_are_never_truncated ON accounts_event;
DROP FUNCTION accounts_event_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_users_tokens_events")]

    operations = [
        migrations.CreateModel(
            name="RateCount",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("hits", models.PositiveIntegerField()),
                ("ends_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.RunSQL("ALTER TABLE accounts_ratecount SET UNLOGGED", "ALTER TABLE accounts_ratecount SET LOGGED"),
        migrations.RunSQL(EVENT_GUARDS, EVENT_GUARDS_REVERSE),
    ]

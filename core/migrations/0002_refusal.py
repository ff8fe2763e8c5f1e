"""Create the trigger function that refuses a statement and reports the trigger's name as the constraint."""

from django.db import migrations

REFUSAL = """
CREATE FUNCTION core_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0]
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_idempotency_keys")]

    operations = [migrations.RunSQL(REFUSAL, "DROP FUNCTION core_refuse();")]

"""Let an account be closed and opened only by the code that also stops and resumes what it pays for."""

from django.db import migrations

GUARD = """
CREATE TRIGGER account_is_closed_with_its_subscriptions
    BEFORE UPDATE ON accounts_user FOR EACH ROW
    WHEN (OLD.is_active IS DISTINCT FROM NEW.is_active
          AND coalesce(current_setting('billing.closing', true), '') <> 'on')
    EXECUTE FUNCTION core_refuse('An account is closed and opened by subscriptions.closure, which stops its billing too.');
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_users_and_tokens"), ("core", "0002_refusal")]

    operations = [migrations.RunSQL(GUARD, "DROP TRIGGER account_is_closed_with_its_subscriptions ON accounts_user;")]

"""Nothing forwards: second factors name their user once they are encrypted anew. Backwards, older code can read them."""

from functools import partial

from django.db import migrations

from accounts import encryption


def without_users(apps, schema_editor):
    for row in apps.get_model("mfa", "Authenticator").objects.select_for_update().iterator():
        row.data = encryption.with_secrets(row.data, partial(encryption.without_user, user_id=row.user_id))
        row.save(update_fields=["data"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_refresh_repeats"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [migrations.RunPython(migrations.RunPython.noop, without_users)]

"""Encrypt the secrets of second factors that are stored in clear. Backwards it stores them in clear again."""

from functools import partial

from django.db import migrations

from accounts import encryption


def encrypt(apps, schema_editor):
    change_all(apps, encryption.encrypt)


def decrypt(apps, schema_editor):
    change_all(apps, encryption.decrypt)


def change_all(apps, change):
    for row in apps.get_model("mfa", "Authenticator").objects.select_for_update().iterator():
        row.data = encryption.with_secrets(row.data, partial(change, user_id=row.user_id))
        row.save(update_fields=["data"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_mail_choices"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [migrations.RunPython(encrypt, decrypt)]

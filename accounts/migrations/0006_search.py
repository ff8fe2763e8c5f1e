"""Staff find a customer by any part of a name or address. The index is built without a lock."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently, TrigramExtension
from django.db import migrations
from django.db.models.functions import Upper

COLUMNS = ("username", "email", "first_name", "last_name")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0005_staff_permissions")]

    operations = [
        # The owner of the database may create it: PostgreSQL trusts this extension.
        TrigramExtension(),
        AddIndexConcurrently(
            "user",
            GinIndex(
                *(OpClass(Upper(name), name="gin_trgm_ops") for name in COLUMNS),
                name="user_by_part_of_name",
                fastupdate=False,
            ),
        ),
    ]

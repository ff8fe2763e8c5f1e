"""Small indexes by time, for the filters of the admin's lists. They are built without a lock."""

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations

# Model, indexed field, name of the index.
TIMES = (
    ("staffact", "created_at", "act_by_time"),
    ("mail", "created_at", "mail_by_time"),
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("events", "0004_staff_acts")]

    operations = [AddIndexConcurrently(model, BrinIndex(fields=[field], name=name)) for model, field, name in TIMES]

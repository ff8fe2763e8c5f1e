"""Two indexes began with the customer; every event of a billing run was entered in both."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_rate_counters_and_event_guards")]

    operations = [
        migrations.AlterField(
            "event",
            "customer",
            models.ForeignKey(
                settings.AUTH_USER_MODEL, django.db.models.deletion.PROTECT, related_name="events", db_index=False
            ),
        ),
    ]

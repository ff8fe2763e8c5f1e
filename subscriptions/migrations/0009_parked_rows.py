"""An index of the books that wait for staff, so that counting them takes no time. It is built without a lock."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("subscriptions", "0008_trials_by_end")]

    operations = [
        AddIndexConcurrently(
            "billingclock",
            models.Index(fields=["wallet"], condition=models.Q(parked_at__isnull=False), name="book_parked"),
        ),
    ]

"""Create the event log."""

import django.contrib.postgres.indexes
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type", models.CharField(max_length=60)),
                ("subject", models.CharField(max_length=40)),
                ("data", models.JSONField(default=dict)),
                ("effective_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(db_default=Now())),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="events", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["customer", "-id"], name="event_by_customer"),
                    models.Index(fields=["subject", "id"], name="event_by_subject"),
                    django.contrib.postgres.indexes.BrinIndex(fields=["created_at"], name="event_by_time"),
                ]
            },
        )
    ]

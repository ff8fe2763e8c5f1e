"""Each start of the scheduler with the span in which it lived, to tell when two run."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0005_idempotency_key_sessions")]

    operations = [
        migrations.CreateModel(
            name="SchedulerProcess",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("place", models.CharField(max_length=200)),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
            ],
        ),
    ]

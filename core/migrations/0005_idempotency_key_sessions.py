"""Note with a running request's key the database session that claimed it: when it ends, the key is free."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0004_task_runs_and_ledger_checks")]

    operations = [
        migrations.AddField(
            model_name="idempotencykey", name="session_pid", field=models.IntegerField(null=True)
        ),
        migrations.AddField(
            model_name="idempotencykey", name="session_started_at", field=models.DateTimeField(null=True)
        ),
    ]

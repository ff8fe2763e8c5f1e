"""What the site knows about itself: task runs, the scheduler's heartbeat, results of the integrity checks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0003_carried_out")]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="LedgerCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_at", models.DateTimeField(db_index=True, verbose_name="started")),
                ("seconds", models.FloatField(verbose_name="seconds")),
                ("checks", models.PositiveIntegerField(verbose_name="checks")),
                ("wrong", models.PositiveBigIntegerField(verbose_name="wrong rows")),
                ("findings", models.JSONField(default=list, verbose_name="findings")),
                ("error", models.CharField(blank=True, default="", max_length=300, verbose_name="error")),
            ],
            options={
                "verbose_name": "ledger check",
                "verbose_name_plural": "ledger checks",
            },
        ),
        migrations.CreateModel(
            name="TaskRun",
            fields=[
                ("task", models.CharField(max_length=100, primary_key=True, serialize=False, verbose_name="task")),
                ("finished_at", models.DateTimeField(verbose_name="finished")),
                ("succeeded_at", models.DateTimeField(null=True, verbose_name="without an error")),
                ("seconds", models.FloatField(verbose_name="seconds")),
                ("total_seconds", models.FloatField(default=0)),
                ("runs", models.BigIntegerField(default=0, verbose_name="runs")),
                ("failures", models.BigIntegerField(default=0, verbose_name="failures")),
                ("error", models.CharField(blank=True, default="", max_length=300, verbose_name="error")),
            ],
            options={
                "verbose_name": "task run",
                "verbose_name_plural": "task runs",
            },
        ),
    ]

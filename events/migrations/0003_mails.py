"""Create the outbox of mails, and number events by the transaction that wrote them."""

from functools import partial

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Lower

import core.ids

# Mails begin with what happens from now on: the reader starts at the oldest transaction that is still running, which
# may write events later, and above the ids of the events that there are.
START = """
INSERT INTO events_eventreader (name, window_start, window_end, last_id, highest_id, floor_id)
SELECT 'mails', oldest, oldest, highest, highest, highest
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest,
             (SELECT coalesce(max(id), 0) FROM events_event) AS highest) AS current;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0002_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="transaction_number",
            field=models.BigIntegerField(
                db_default=models.Func(
                    function="pg_current_xact_id",
                    output_field=models.BigIntegerField(),
                    template="%(function)s()::text::bigint",
                ),
                editable=False,
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["transaction_number"], name="event_by_transaction"),
        ),
        migrations.CreateModel(
            name="EventReader",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("window_start", models.BigIntegerField(default=0)),
                ("window_end", models.BigIntegerField(default=0)),
                ("last_id", models.BigIntegerField(default=0)),
                ("highest_id", models.BigIntegerField(default=0)),
                ("floor_id", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Mail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(
                        default=partial(core.ids.new_id, "mail"), editable=False, max_length=40, unique=True
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("kind", models.CharField(max_length=40, verbose_name="kind")),
                ("cause", models.CharField(max_length=120)),
                (
                    "events",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("sent", "sent"),
                            ("skipped", "not sent"),
                            ("parked", "parked"),
                            ("given_up", "given up by staff"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=300, verbose_name="reason")),
                ("is_urgent", models.BooleanField(default=False)),
                ("address", models.CharField(blank=True, default="", max_length=254, verbose_name="address")),
                ("subject", models.CharField(blank=True, default="", max_length=300, verbose_name="subject")),
                ("text", models.TextField(blank=True, default="")),
                ("html", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("due_at", models.DateTimeField(null=True)),
                ("park_at", models.DateTimeField()),
                ("tries", models.PositiveIntegerField(default=0, verbose_name="tries")),
                ("tried_at", models.DateTimeField(null=True)),
                ("resends", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent")),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("is_urgent").desc(),
                        "due_at",
                        "id",
                        condition=models.Q(state="waiting"),
                        name="mail_to_send",
                    ),
                    models.Index(
                        fields=["customer", "id"],
                        condition=models.Q(state="waiting"),
                        name="mail_waiting_by_customer",
                    ),
                    models.Index(fields=["park_at"], condition=models.Q(state="waiting"), name="mail_to_park"),
                    models.Index(fields=["tried_at"], condition=models.Q(tried_at__isnull=False), name="mail_by_try"),
                    models.Index(fields=["address", "-id"], name="mail_by_address"),
                    models.Index(fields=["state", "-id"], name="mail_by_state"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=["customer", "kind", "cause"], name="one_mail_for_each_cause"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("due_at__isnull", False), ("state", "waiting")),
                            models.Q(models.Q(("state", "waiting"), _negated=True), ("due_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="only_a_waiting_mail_is_due",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("html", ""), ("sent_at__isnull", False), ("state", "sent"), ("text", "")),
                            models.Q(models.Q(("state", "sent"), _negated=True), ("sent_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="a_sent_mail_has_a_time_and_no_body",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UnreachableAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(max_length=254, verbose_name="address")),
                ("reason", models.CharField(blank=True, default="", max_length=300, verbose_name="reason")),
                ("bounced_at", models.DateTimeField(verbose_name="bounced")),
            ],
            options={
                "verbose_name_plural": "unreachable addresses",
                "constraints": [
                    models.UniqueConstraint(Lower("address"), name="one_row_for_each_unreachable_address")
                ],
            },
        ),
        migrations.RunSQL(START, migrations.RunSQL.noop),
    ]

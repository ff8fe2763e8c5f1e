"""Refunds that are decided later, disputes, kept cards, and webhooks about each of them."""

import functools

import django.utils.timezone
from django.db import migrations, models

import core.ids

SESSION = "sandbox.sandboxsession"


def public_id(prefix):
    return models.CharField(
        default=functools.partial(core.ids.new_id, *(prefix,), **{}), editable=False, max_length=40, unique=True
    )


class Migration(migrations.Migration):
    dependencies = [("sandbox", "0001_sessions")]

    operations = [
        migrations.AddField("sandboxsession", "customer", models.CharField(blank=True, default="", max_length=60)),
        migrations.AddField("sandboxsession", "save_method", models.BooleanField(default=False)),
        migrations.AddField(
            "sandboxsession", "currency_received", models.CharField(blank=True, default="", max_length=3)
        ),
        migrations.AddIndex("sandboxsession", models.Index(fields=["created_at"], name="sandbox_session_by_time")),
        migrations.AddField("sandboxdelivery", "object_id", models.CharField(blank=True, default="", max_length=40)),
        migrations.AddField(
            "sandboxdelivery",
            "due_at",
            models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="SandboxMethod",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("method_id", public_id("sbm")),
                ("owner", models.CharField(blank=True, default="", max_length=60)),
                ("brand", models.CharField(max_length=20)),
                ("last4", models.CharField(max_length=4)),
                ("expires_on", models.DateTimeField()),
                ("is_kept", models.BooleanField(default=True)),
                ("session", models.OneToOneField(on_delete=models.CASCADE, related_name="method", to=SESSION)),
            ],
        ),
        migrations.CreateModel(
            name="SandboxDispute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("settles_as", models.CharField(blank=True, default="", max_length=10)),
                ("settles_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("dispute_id", public_id("sbd")),
                ("amount", models.BigIntegerField()),
                ("reason", models.CharField(max_length=40)),
                ("answer_by", models.DateTimeField()),
                ("session", models.ForeignKey(on_delete=models.CASCADE, related_name="disputes", to=SESSION)),
            ],
            options={"abstract": False},
        ),
        migrations.AddField("sandboxrefund", "settles_as", models.CharField(blank=True, default="", max_length=10)),
        migrations.AddField("sandboxrefund", "settles_at", models.DateTimeField(null=True)),
        # Refunds used to succeed at once.
        migrations.RunSQL(
            "UPDATE sandbox_sandboxrefund SET settles_as = 'succeeded', settles_at = created_at",
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]

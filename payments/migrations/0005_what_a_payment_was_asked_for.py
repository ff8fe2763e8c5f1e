"""A key that is used again finds its payment only for the same request."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_sandbox_session_language")]

    operations = [
        migrations.AddField("payment", "asked", models.CharField(editable=False, max_length=64, null=True)),
    ]

"""A refresh token knows the one that was given for it, so that a repeat at once gets the same pair."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_search")]

    operations = [migrations.AddField("refreshtoken", "successor", models.UUIDField(null=True))]

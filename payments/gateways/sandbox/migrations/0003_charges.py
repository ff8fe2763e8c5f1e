"""Charges of kept cards, and how a card's bank answers them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sandbox", "0002_refunds_and_disputes")]

    operations = [
        migrations.AddField("sandboxmethod", "answer", models.CharField(default="succeeds", max_length=40)),
        migrations.AddField(
            "sandboxsession",
            "charged",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="charges",
                to="sandbox.sandboxmethod",
            ),
        ),
    ]

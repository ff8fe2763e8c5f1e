"""What the payer wrote as the purpose of the payment."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("manual", "0001_transfers")]

    operations = [
        migrations.AddField(
            "manualreceipt",
            "note",
            models.CharField(blank=True, default="", max_length=200, verbose_name="payer's note"),
        ),
    ]

"""Room for the address of a gateway's page, however long it is. Going back cuts none: it fails if one is too long."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0016_void_refunds")]

    operations = [migrations.AlterField("payment", "confirmation_url", models.TextField(blank=True, default=""))]

"""Sessions that save a card without a payment."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sandbox", "0003_charges")]

    operations = [migrations.AddField("sandboxsession", "is_setup", models.BooleanField(default=False))]

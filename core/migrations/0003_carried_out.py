"""Record with the key that the request's change was made."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0002_refusal")]

    operations = [
        migrations.AddField(
            model_name="idempotencykey", name="is_carried_out", field=models.BooleanField(db_default=False)
        )
    ]

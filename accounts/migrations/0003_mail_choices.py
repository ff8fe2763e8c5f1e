"""Let customers choose their time zone and which mails they get."""

import django.contrib.postgres.fields
from django.db import migrations, models

import accounts.time_zones


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_account_closure")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="time_zone",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=64,
                validators=[accounts.time_zones.check],
                verbose_name="time zone",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="mails_off",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=20),
                blank=True,
                db_default=[],
                default=list,
                size=None,
                verbose_name="mails switched off",
            ),
        ),
    ]

"""The customer at Stripe of each of ours."""

from functools import partial

from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []

    operations = [
        migrations.CreateModel(
            name="StripeCustomer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("customer", models.CharField(max_length=64, unique=True)),
                ("key", models.CharField(default=partial(core.ids.new_id, "scu"), max_length=40)),
                ("customer_id", models.CharField(blank=True, default="", max_length=120)),
            ],
        ),
    ]

"""Charges and books say whose they are, so that every hot statement can be kept to one customer's rows."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FILL = """
ALTER TABLE subscriptions_charge DISABLE TRIGGER USER;
UPDATE subscriptions_charge AS charge SET customer_id = s.customer_id
  FROM subscriptions_subscription AS s WHERE s.id = charge.subscription_id;
ALTER TABLE subscriptions_charge ENABLE TRIGGER USER;
UPDATE subscriptions_book AS book SET customer_id = wallet.owner_id
  FROM ledger_account AS wallet WHERE wallet.id = book.wallet_id;
"""


def customer(**options: object) -> models.ForeignKey:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, django.db.models.deletion.DO_NOTHING, related_name="+", db_constraint=False,
        db_index=False, **options,
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0007_charges_are_found_by_start")]

    operations = [
        migrations.AddField("charge", "customer", customer(null=True)),
        migrations.AddField("book", "customer", customer(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("charge", "customer", customer()),
        migrations.AlterField("book", "customer", customer()),
    ]

"""A comparison with NULL is not false: say that balance_after is there, then that it is not below zero."""

from django.db import migrations, models
from django.db.models import Q

RULE = "transaction_shows_the_wallet_after_it"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_keys_are_bytes_and_wallets_have_room")]

    operations = [
        migrations.RemoveConstraint("transaction", RULE),
        migrations.AddConstraint(
            "transaction",
            models.CheckConstraint(
                condition=Q(wallet__isnull=True, balance_after__isnull=True)
                | Q(
                    wallet__isnull=False,
                    balance_after__isnull=False,
                    balance_after__gte=0,
                    customer__isnull=False,
                ),
                name=RULE,
            ),
        ),
    ]

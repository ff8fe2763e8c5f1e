"""Look at the old transactions for the rule of 0006_write_off, while others go on writing."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ledger", "0007_today")]

    operations = [ValidateConstraint("transaction", "transaction_reason_is_known")]

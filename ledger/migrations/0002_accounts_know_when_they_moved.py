"""Accounts keep the instant of their last transaction; indexes follow how the ledger is read."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0001_accounts_and_transactions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="transaction",
            name="transaction_by_wallet",
        ),
        migrations.AddField(
            model_name="account",
            name="moved_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="account",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="accounts",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="transaction",
            name="reverses",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="reversals",
                to="ledger.transaction",
            ),
        ),
        migrations.AddIndex(
            model_name="transaction",
            index=models.Index(
                condition=models.Q(("wallet__isnull", False)),
                fields=["wallet", "effective_at", "id"],
                name="transaction_by_wallet",
            ),
        ),
        migrations.AddIndex(
            model_name="transaction",
            index=models.Index(
                condition=models.Q(("wallet__isnull", False), models.Q(("reason", "charge"), _negated=True)),
                fields=["wallet", "effective_at", "id"],
                name="transaction_but_charges",
            ),
        ),
        migrations.AddIndex(
            model_name="transaction",
            index=models.Index(
                condition=models.Q(("customer__isnull", False), ("wallet__isnull", True)),
                fields=["customer"],
                name="transaction_of_a_debt",
            ),
        ),
        migrations.AddIndex(
            model_name="transaction",
            index=models.Index(
                condition=models.Q(("group__isnull", False)), fields=["group"], name="transaction_by_group"
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        (
                            "wallet",
                            "debt",
                            "gateway_clearing",
                            "revenue",
                            "gateway_fees",
                            "promotions",
                            "adjustments",
                            "disputes",
                        ),
                    )
                ),
                name="account_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("code", ""),
                    ("code", models.F("kind")),
                    ("code__startswith", django.db.models.functions.text.Concat(models.F("kind"), models.Value(":"))),
                    _connector="OR",
                ),
                name="account_code_begins_with_its_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="transaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "reason__in",
                        (
                            "top_up",
                            "charge",
                            "unused_refund",
                            "refund",
                            "adjustment",
                            "promotion",
                            "chargeback",
                            "chargeback_reversal",
                            "fee",
                        ),
                    )
                ),
                name="transaction_reason_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="transaction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reverses__isnull", False)),
                fields=("reverses",),
                name="transaction_is_reversed_at_most_once",
            ),
        ),
    ]

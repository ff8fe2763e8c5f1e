"""The second edition of the billing rules: metered use is paid as it begins, debts, ends of waiting, changes of quantity.

What the first edition charged cannot be counted anew, so a database that holds subscriptions of it is refused.
"""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

EMPTY = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM subscriptions_subscription) THEN
        RAISE EXCEPTION 'This database holds subscriptions of the first edition of the billing rules.'
            USING HINT = 'Begin with an empty database. For a local one: make clean.';
    END IF;
END $$;
"""

DROP_GUARDS = """
DROP TRIGGER used_price_keeps_its_terms ON subscriptions_price;
DROP TRIGGER subscription_keeps_what_was_bought ON subscriptions_subscription;
"""

GUARDS = """
CREATE TRIGGER used_price_keeps_its_terms
    BEFORE UPDATE ON subscriptions_price FOR EACH ROW
    WHEN (OLD.used_at IS NOT NULL AND
          (OLD.id, OLD.plan_id, OLD.version, OLD.currency, OLD.amount, OLD.interval, OLD.interval_count, OLD.metered,
           OLD.trial_days, OLD.grace_days, OLD.keep_days, OLD.trial_quantity_max, OLD.can_pause, OLD.can_refund_unused,
           OLD.used_at, OLD.created_at)
          IS DISTINCT FROM
          (NEW.id, NEW.plan_id, NEW.version, NEW.currency, NEW.amount, NEW.interval, NEW.interval_count, NEW.metered,
           NEW.trial_days, NEW.grace_days, NEW.keep_days, NEW.trial_quantity_max, NEW.can_pause, NEW.can_refund_unused,
           NEW.used_at, NEW.created_at))
    EXECUTE FUNCTION core_refuse('This price is in use: its terms cannot change. Create a new version.');

CREATE TRIGGER subscription_keeps_what_was_bought
    BEFORE UPDATE ON subscriptions_subscription FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.customer_id, OLD.wallet_id, OLD.periods, OLD.created_at)
          IS DISTINCT FROM
          (NEW.id, NEW.public_id, NEW.customer_id, NEW.wallet_id, NEW.periods, NEW.created_at))
    EXECUTE FUNCTION core_refuse(
        'Customer, wallet and periods of a subscription cannot change. Cancel it and subscribe again.');
"""

GUARDS_BEFORE = """
CREATE TRIGGER used_price_keeps_its_terms
    BEFORE UPDATE ON subscriptions_price FOR EACH ROW
    WHEN (OLD.used_at IS NOT NULL AND
          (OLD.id, OLD.plan_id, OLD.version, OLD.currency, OLD.amount, OLD.interval, OLD.interval_count, OLD.metered,
           OLD.trial_days, OLD.grace_days, OLD.used_at, OLD.created_at)
          IS DISTINCT FROM
          (NEW.id, NEW.plan_id, NEW.version, NEW.currency, NEW.amount, NEW.interval, NEW.interval_count, NEW.metered,
           NEW.trial_days, NEW.grace_days, NEW.used_at, NEW.created_at))
    EXECUTE FUNCTION core_refuse('This price is in use: its terms cannot change. Create a new version.');

CREATE TRIGGER subscription_keeps_what_was_bought
    BEFORE UPDATE ON subscriptions_subscription FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.customer_id, OLD.wallet_id, OLD.quantity, OLD.periods, OLD.created_at)
          IS DISTINCT FROM
          (NEW.id, NEW.public_id, NEW.customer_id, NEW.wallet_id, NEW.quantity, NEW.periods, NEW.created_at))
    EXECUTE FUNCTION core_refuse(
        'Customer, wallet, quantity and periods of a subscription cannot change. Cancel it and subscribe again.');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0003_debt_payment"),
        ("subscriptions", "0004_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(EMPTY, EMPTY),
        migrations.RunSQL(DROP_GUARDS, GUARDS_BEFORE),
        migrations.RemoveConstraint(
            model_name="billingclock",
            name="leftover_is_zero_or_more",
        ),
        migrations.RemoveConstraint(
            model_name="charge",
            name="charge_has_a_span",
        ),
        migrations.RemoveConstraint(
            model_name="charge",
            name="charge_above_zero_has_a_transaction",
        ),
        migrations.RemoveConstraint(
            model_name="subscription",
            name="remainder_is_zero_or_more",
        ),
        migrations.RemoveConstraint(
            model_name="subscription",
            name="agreed_change_has_its_price_and_period",
        ),
        migrations.RemoveField(
            model_name="billingclock",
            name="leftover",
        ),
        migrations.RemoveField(
            model_name="charge",
            name="remainder_after",
        ),
        migrations.RemoveField(
            model_name="charge",
            name="remainder_before",
        ),
        migrations.RemoveField(
            model_name="quote",
            name="takes_effect_at",
        ),
        migrations.RemoveField(
            model_name="subscription",
            name="next_period_end",
        ),
        migrations.RemoveField(
            model_name="subscription",
            name="remainder",
        ),
        migrations.AddField(model_name="billingclock", name="slow_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="charge",
            name="credit_after",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="charge",
            name="credit_before",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="charge",
            name="debt_transaction",
            field=models.OneToOneField(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="owed_charge",
                to="ledger.transaction",
            ),
        ),
        migrations.AddField(
            model_name="charge",
            name="full_length",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="charge",
            name="quantity",
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="price",
            name="can_pause",
            field=models.BooleanField(default=True, help_text="Customers may pause the subscription."),
        ),
        migrations.AddField(
            model_name="price",
            name="can_refund_unused",
            field=models.BooleanField(
                default=True, help_text="Who cancels a paid period may have its unused time back."
            ),
        ),
        migrations.AddField(
            model_name="price",
            name="keep_days",
            field=models.PositiveSmallIntegerField(
                default=30, help_text="How many days a suspended subscription waits for money before it expires."
            ),
        ),
        migrations.AddField(
            model_name="price",
            name="trial_quantity_max",
            field=models.PositiveIntegerField(
                default=10,
                help_text="The largest quantity that a trial is given for.",
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
        migrations.AddField(
            model_name="quote",
            name="quantity",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="subscription",
            name="charge_start",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="subscription",
            name="credit",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="subscription",
            name="is_held",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="subscription",
            name="period_net",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="subscription",
            name="scheduled_quantity",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="subscription",
            name="wait_end",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.CheckConstraint(
                condition=models.Q(("period_end__gt", models.F("period_start"))), name="charge_has_a_span"
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount", 0), ("debt_transaction__isnull", True), ("transaction__isnull", True)),
                    models.Q(
                        ("amount__gt", 0),
                        models.Q(("transaction__isnull", False), ("debt_transaction__isnull", False), _connector="OR"),
                    ),
                    _connector="OR",
                ),
                name="charge_above_zero_has_a_transaction",
            ),
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(
                condition=models.Q(("trial_quantity_max__gte", 1)), name="trial_quantity_max_is_one_or_more"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(condition=models.Q(("credit__gte", 0)), name="credit_is_zero_or_more"),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["pending", "suspended"]), _negated=True),
                    ("wait_end__isnull", False),
                    _connector="OR",
                ),
                name="waiting_has_an_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("scheduled_quantity__isnull", True), ("scheduled_quantity__gte", 1), _connector="OR"
                ),
                name="scheduled_quantity_is_one_or_more",
            ),
        ),
        migrations.RunSQL(GUARDS, DROP_GUARDS),
    ]

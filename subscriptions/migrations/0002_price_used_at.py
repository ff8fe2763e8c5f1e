"""Remember on a price that somebody has had it, so that the guards need not search for one."""

from django.db import migrations, models

MARK_THOSE_IN_USE = """
    UPDATE subscriptions_price SET used_at = now()
     WHERE id IN (SELECT price_id FROM subscriptions_subscription
                  UNION SELECT scheduled_price_id FROM subscriptions_subscription
                  UNION SELECT price_id FROM subscriptions_charge);
"""


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0001_plans_books_subscriptions")]

    operations = [
        migrations.AddField("price", "used_at", models.DateTimeField(blank=True, editable=False, null=True)),
        migrations.RunSQL(MARK_THOSE_IN_USE, migrations.RunSQL.noop),
    ]

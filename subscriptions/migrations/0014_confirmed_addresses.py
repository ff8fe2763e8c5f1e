"""Plans may ask for a confirmed email address."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0013_trials_by_mailbox")]

    operations = [
        migrations.AddField("plan", "needs_confirmed_email", models.BooleanField(
            default=False, db_default=False,
            help_text="Only customers who have confirmed their email address can order it, as free trials may want.",
        )),
    ]  # fmt: skip

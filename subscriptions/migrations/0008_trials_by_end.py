"""An index that finds the trials that end soon. Subscriptions without a running trial are not in it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0007_reminders")]

    operations = [
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                fields=["trial_end"], condition=models.Q(status="trialing"), name="trial_by_end"
            ),
        ),
    ]

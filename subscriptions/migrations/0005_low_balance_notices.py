from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0004_one_subscription_per_request")]

    operations = [
        migrations.AddField("book", "noticed_hours", models.PositiveSmallIntegerField(null=True)),
    ]

"""Let no two plans have codes that differ in their case only."""

from django.db import migrations, models
from django.db.models.functions import Lower

NAME = "plan_code_is_unique_whatever_its_case"
# A shop has a few dozen plans at most, so no lock of this is waited for.
CREATE = f"""-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX {NAME} ON subscriptions_plan (lower(code))"""


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0010_daily_figures")]

    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL([CREATE], [f"DROP INDEX {NAME}"])],
            [migrations.AddConstraint("plan", models.UniqueConstraint(Lower("code"), name=NAME))],
        ),
    ]

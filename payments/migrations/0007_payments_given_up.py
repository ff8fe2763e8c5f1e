"""A payment that nobody wants any more, whose page is still open, does not stand in the way of another one."""

from django.db import migrations, models

OPEN = {"status__in": ["pending", "unknown"], "parked_reason": ""}


def constraint(name: str, fields: list[str], condition: models.Q) -> models.UniqueConstraint:
    return models.UniqueConstraint(fields=fields, condition=condition, name=name)


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_payouts_and_reports")]

    operations = [
        migrations.RemoveConstraint("payment", "one_open_payment_per_subscription"),
        migrations.RemoveConstraint("payment", "one_open_payment_per_purpose"),
        migrations.AddConstraint(
            "payment",
            constraint("one_open_payment_per_subscription", ["subscription"], models.Q(**OPEN, closing_at=None)),
        ),
        migrations.AddConstraint(
            "payment",
            constraint(
                "one_open_payment_per_purpose",
                ["customer", "purpose"],
                models.Q(**OPEN, closing_at=None) & ~models.Q(purpose=""),
            ),
        ),
    ]

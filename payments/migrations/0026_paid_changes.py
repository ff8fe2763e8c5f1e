"""Changes of plan or quantity that are made with the money of a payment."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("payments", "0025_references"), ("subscriptions", "0013_trials_by_mailbox")]

    operations = [
        migrations.CreateModel(
            name="PaidChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("quantity", models.PositiveIntegerField(null=True)),
                ("standing", models.CharField(max_length=100)),
                ("made_at", models.DateTimeField(null=True)),
                ("refusal", models.CharField(max_length=60, default="", db_default="")),
                ("payment", models.OneToOneField(
                    on_delete=django.db.models.deletion.PROTECT, related_name="change", to="payments.payment",
                )),
                ("price", models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to="subscriptions.price",
                )),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(quantity__isnull=True) | Q(quantity__gte=1),
                        name="paid_change_quantity_is_one_or_more",
                    ),
                    models.CheckConstraint(
                        condition=Q(made_at__isnull=True) | Q(refusal=""), name="a_refused_paid_change_is_not_made"
                    ),
                ],
            },
        ),
    ]  # fmt: skip

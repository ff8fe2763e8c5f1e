"""Who of the staff had a discrepancy mended, and when."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0007_payments_given_up"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("discrepancy", "mended_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "discrepancy",
            "mended_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            "discrepancy",
            models.CheckConstraint(
                condition=Q(mended_by__isnull=True, mended_at__isnull=True)
                | Q(mended_by__isnull=False, mended_at__isnull=False, is_mended=True),
                name="who_mended_a_discrepancy_says_when",
            ),
        ),
    ]

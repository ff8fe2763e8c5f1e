"""Indexes of what waits for staff, which the first page of the desk counts. They are built without a lock."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

INDEXES = [
    ("payment", models.Index(fields=["id"], condition=Q(status="unknown"), name="payment_without_answer")),
    ("payment", models.Index(fields=["currency", "updated_at"], condition=Q(status="failed"), name="payment_failed")),
    ("refund", models.Index(fields=["created_at"], condition=Q(status="failed"), name="refund_failed")),
    ("refund", models.Index(fields=["created_at"], condition=Q(status="pending"), name="refund_pending")),
    ("dispute", models.Index(fields=["answer_by"], condition=Q(status="open"), name="dispute_open")),
    ("discrepancy", models.Index(fields=["id"], condition=Q(is_mended=False), name="discrepancy_left")),
]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0023_search")]

    operations = [AddIndexConcurrently(table, index) for table, index in INDEXES]

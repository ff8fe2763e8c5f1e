"""Bank transfers, what arrived for them, and their refunds."""

import functools

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import core.ids

STAFF = {"on_delete": django.db.models.deletion.PROTECT, "related_name": "+", "to": settings.AUTH_USER_MODEL}


def public_id(prefix, verbose_name):
    default = functools.partial(core.ids.new_id, prefix)
    return models.CharField(default=default, editable=False, max_length=40, unique=True, verbose_name=verbose_name)


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="ManualTransfer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("transfer_id", public_id("mtr", "id")),
                ("idempotency_key", models.CharField(max_length=100, unique=True, verbose_name="payment")),
                ("reference", models.CharField(max_length=10, unique=True, verbose_name="reference number")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("description", models.CharField(blank=True, max_length=200, verbose_name="description")),
                ("customer", models.CharField(blank=True, max_length=64, verbose_name="customer")),
                ("return_url", models.CharField(max_length=500)),
                ("language", models.CharField(default="en", max_length=8, verbose_name="language")),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "waiting for money"), ("received", "received"), ("cancelled", "cancelled")],
                        default="open",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed")),
                ("completed_by", models.ForeignKey(null=True, verbose_name="completed by", **STAFF)),
            ],
            options={
                "verbose_name": "transfer",
                "verbose_name_plural": "transfers",
                "indexes": [models.Index(fields=["created_at"], name="manual_transfer_created")],
                "constraints": [
                    models.CheckConstraint(condition=Q(amount__gt=0), name="manual_transfer_is_more_than_zero"),
                    models.CheckConstraint(
                        condition=Q(status="open", closed_at__isnull=True)
                        | ~Q(status="open") & Q(closed_at__isnull=False),
                        name="an_open_manual_transfer_is_not_closed",
                    ),
                    models.CheckConstraint(
                        condition=Q(status="received", completed_by__isnull=False)
                        | ~Q(status="received") & Q(completed_by__isnull=True),
                        name="a_received_manual_transfer_names_who_completed_it",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ManualReceipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "transfer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="manual.manualtransfer",
                        verbose_name="transfer",
                    ),
                ),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("received_on", models.DateField(verbose_name="received on")),
                ("bank_reference", models.CharField(max_length=64, verbose_name="bank reference")),
                ("recorded_by", models.ForeignKey(verbose_name="recorded by", **STAFF)),
                ("recorded_at", models.DateTimeField(verbose_name="recorded")),
                ("voided_by", models.ForeignKey(null=True, verbose_name="voided by", **STAFF)),
                ("voided_at", models.DateTimeField(null=True, verbose_name="voided")),
                ("void_reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
            ],
            options={
                "verbose_name": "receipt of a transfer",
                "verbose_name_plural": "receipts of transfers",
                "constraints": [
                    models.CheckConstraint(condition=Q(amount__gt=0), name="manual_receipt_is_more_than_zero"),
                    models.CheckConstraint(condition=~Q(bank_reference=""), name="manual_receipt_has_a_bank_reference"),
                    models.UniqueConstraint(
                        fields=["bank_reference"],
                        condition=Q(voided_at__isnull=True),
                        name="manual_bank_reference_is_recorded_once",
                    ),
                    models.CheckConstraint(
                        condition=Q(voided_at__isnull=True, voided_by__isnull=True)
                        | Q(voided_at__isnull=False, voided_by__isnull=False),
                        name="a_void_manual_receipt_names_who_voided_it",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ManualRefund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("refund_id", public_id("mre", "id")),
                (
                    "transfer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="manual.manualtransfer",
                        verbose_name="transfer",
                    ),
                ),
                ("idempotency_key", models.CharField(max_length=100, unique=True, verbose_name="refund")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("description", models.CharField(blank=True, max_length=300, verbose_name="description")),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "to be sent"), ("sent", "sent"), ("failed", "not sent")],
                        default="pending",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed")),
                ("closed_by", models.ForeignKey(null=True, verbose_name="closed by", **STAFF)),
                ("bank_reference", models.CharField(blank=True, max_length=64, verbose_name="bank reference")),
                ("failure_reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
            ],
            options={
                "verbose_name": "refund of a transfer",
                "verbose_name_plural": "refunds of transfers",
                "constraints": [
                    models.CheckConstraint(condition=Q(amount__gt=0), name="manual_refund_is_more_than_zero"),
                    models.CheckConstraint(
                        condition=Q(status="pending", closed_at__isnull=True, closed_by__isnull=True)
                        | ~Q(status="pending") & Q(closed_at__isnull=False, closed_by__isnull=False),
                        name="a_closed_manual_refund_names_who_closed_it",
                    ),
                    models.CheckConstraint(
                        condition=~Q(status="sent") | ~Q(bank_reference=""),
                        name="a_sent_manual_refund_has_a_bank_reference",
                    ),
                ],
            },
        ),
    ]

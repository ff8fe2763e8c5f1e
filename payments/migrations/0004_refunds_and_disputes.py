"""Refunds, disputes and payment methods; what a payment received; the id that a client chose."""

import functools

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids

# Payments confirmed before have received what they asked for.
RECEIVED = """
    UPDATE payments_payment SET amount_received = amount, received_currency = currency WHERE status = 'confirmed'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0003_open_orders'),
        ('subscriptions', '0005_paid_before_use'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(core.ids.new_id, "dsp"), editable=False, max_length=40, unique=True)),
                ('gateway', models.CharField(max_length=20)),
                ('gateway_id', models.CharField(max_length=120)),
                ('amount', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('status', models.CharField(choices=[('open', 'open'), ('won', 'won'), ('lost', 'lost')], default='open', max_length=10)),
                ('reason', models.CharField(blank=True, default='', max_length=60)),
                ('answer_by', models.DateTimeField(null=True)),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('returned_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('check_at', models.DateTimeField(null=True)),
                ('checks', models.PositiveSmallIntegerField(default=0)),
                ('failures', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('parked_reason', models.CharField(blank=True, default='', editable=False, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='PaymentMethod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(core.ids.new_id, "pm"), editable=False, max_length=40, unique=True)),
                ('gateway', models.CharField(max_length=20)),
                ('gateway_id', models.CharField(max_length=120)),
                ('gateway_owner', models.CharField(blank=True, default='', max_length=120)),
                ('brand', models.CharField(blank=True, default='', max_length=40)),
                ('last4', models.CharField(blank=True, default='', max_length=4)),
                ('expires_on', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('idempotency_key', models.CharField(editable=False, max_length=64, null=True)),
                ('fingerprint', models.CharField(editable=False, max_length=64, null=True)),
                ('public_id', models.CharField(default=functools.partial(core.ids.new_id, "ref"), editable=False, max_length=40, unique=True)),
                ('amount', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('destination', models.CharField(choices=[('card', 'the payment method'), ('wallet', 'the wallet')], default='card', max_length=10)),
                ('is_from_wallet', models.BooleanField(default=True)),
                ('status', models.CharField(choices=[('pending', 'pending'), ('succeeded', 'succeeded'), ('failed', 'failed')], default='pending', max_length=10)),
                ('reason', models.CharField(blank=True, default='', max_length=200)),
                ('gateway', models.CharField(max_length=20)),
                ('gateway_id', models.CharField(max_length=120, null=True)),
                ('failure_code', models.CharField(blank=True, default='', max_length=60)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('check_at', models.DateTimeField(null=True)),
                ('checks', models.PositiveSmallIntegerField(default=0)),
                ('failures', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('parked_reason', models.CharField(blank=True, default='', editable=False, max_length=200)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='payment',
            name='refunds_never_exceed_the_payment',
        ),
        migrations.AddField(
            model_name='payment',
            name='amount_received',
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='payment',
            name='client_payment_id',
            field=models.CharField(editable=False, max_length=40, null=True),
        ),
        migrations.AddField(
            model_name='payment',
            name='failures',
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='payment',
            name='fee',
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='payment',
            name='received_currency',
            field=models.CharField(blank=True, default='', editable=False, max_length=3),
        ),
        migrations.AddField(
            model_name='payment',
            name='save_method',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name='webhookevent',
            name='subject',
            field=models.CharField(blank=True, default='', max_length=10),
        ),
        migrations.AlterField(
            model_name='payment',
            name='amount_refunded',
            field=models.BigIntegerField(default=0, editable=False),
        ),
        migrations.RunSQL(RECEIVED, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('amount_refunded', 0), models.Q(('amount_refunded__gt', 0), ('amount_refunded__lte', models.F('amount_received'))), _connector='OR'), name='refunds_never_exceed_the_payment'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount_received__isnull', True), ('received_currency', '')), models.Q(('amount_received__gt', 0), ('received_currency__regex', '^[A-Z]{3}$')), _connector='OR'), name='what_was_received_has_a_currency'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'confirmed'), _negated=True), ('amount_received__isnull', False), _connector='OR'), name='a_confirmed_payment_has_received_money'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.UniqueConstraint(fields=('customer', 'client_payment_id'), name='client_payment_id_is_used_once'),
        ),
        migrations.AddField(
            model_name='dispute',
            name='payment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='payments.payment'),
        ),
        migrations.AddField(
            model_name='paymentmethod',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payment_methods', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='refund',
            name='author',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='refund',
            name='payment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='payments.payment'),
        ),
        migrations.AddIndex(
            model_name='dispute',
            index=models.Index(condition=models.Q(('check_at__isnull', False)), fields=['check_at'], name='dispute_to_check'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='dispute_is_more_than_zero'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(('returned_at__isnull', True), ('withdrawn_at__isnull', False), _connector='OR'), name='only_what_was_withdrawn_comes_back'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.UniqueConstraint(fields=('gateway', 'gateway_id'), name='one_dispute_per_gateway_object'),
        ),
        migrations.AddConstraint(
            model_name='paymentmethod',
            constraint=models.UniqueConstraint(fields=('gateway', 'gateway_id'), name='one_method_per_gateway_object'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(condition=models.Q(('check_at__isnull', False)), fields=['check_at'], name='refund_to_check'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='refund_is_more_than_zero'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.UniqueConstraint(fields=('gateway', 'gateway_id'), name='one_refund_per_gateway_object'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.UniqueConstraint(fields=('payment', 'idempotency_key'), name='one_refund_per_request'),
        ),
    ]

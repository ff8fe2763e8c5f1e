"""Payouts, and stored reports of the comparison with each gateway's list; triggers that guard payouts."""

import functools

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids

GUARDS = """
CREATE TRIGGER payout_keeps_what_it_is_about
    BEFORE UPDATE ON payments_payout FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.gateway, OLD.gateway_id, OLD.amount, OLD.currency)
              IS DISTINCT FROM
          (NEW.id, NEW.public_id, NEW.gateway, NEW.gateway_id, NEW.amount, NEW.currency)
          OR (OLD.returned_at IS NOT NULL AND OLD.returned_at IS DISTINCT FROM NEW.returned_at))
    EXECUTE FUNCTION core_refuse('The gateway id and amount of a payout never change, and it comes back only once.');

CREATE TRIGGER payout_is_never_deleted
    BEFORE DELETE ON payments_payout FOR EACH ROW
    EXECUTE FUNCTION core_refuse('Payouts are never deleted.');
"""

DROP_GUARDS = """
DROP TRIGGER payout_is_never_deleted ON payments_payout;
DROP TRIGGER payout_keeps_what_it_is_about ON payments_payout;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0005_refund_guards'),
        ('subscriptions', '0005_paid_before_use'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Discrepancy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('missing_here', 'missing here'), ('missing_there', 'missing at the gateway'), ('amount', 'amount'), ('currency', 'currency'), ('status', 'status')], max_length=20)),
                ('gateway_id', models.CharField(blank=True, default='', max_length=120)),
                ('ours', models.CharField(blank=True, default='', max_length=200)),
                ('theirs', models.CharField(blank=True, default='', max_length=200)),
                ('is_mended', models.BooleanField(default=False)),
                ('outcome', models.CharField(blank=True, default='', max_length=300)),
            ],
            options={
                'verbose_name_plural': 'discrepancies',
            },
        ),
        migrations.CreateModel(
            name='GatewayReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gateway', models.CharField(max_length=20)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('payments_failure', models.CharField(blank=True, default='', max_length=300)),
                ('payouts_failure', models.CharField(blank=True, default='', max_length=300)),
                ('payments_there', models.PositiveIntegerField(default=0)),
                ('payments_here', models.PositiveIntegerField(default=0)),
                ('fees_posted', models.PositiveIntegerField(default=0)),
                ('payouts_posted', models.PositiveIntegerField(default=0)),
                ('mended', models.PositiveIntegerField(default=0)),
                ('left', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Payout',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(core.ids.new_id, "payout"), editable=False, max_length=40, unique=True)),
                ('gateway', models.CharField(max_length=20)),
                ('gateway_id', models.CharField(max_length=120)),
                ('amount', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('arrived_at', models.DateTimeField()),
                ('returned_at', models.DateTimeField(null=True)),
                ('is_by_hand', models.BooleanField(default=False, editable=False)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['gateway', 'created_at'], name='payment_by_gateway_and_time'),
        ),
        migrations.AddField(
            model_name='discrepancy',
            name='payment',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.payment'),
        ),
        migrations.AddIndex(
            model_name='gatewayreport',
            index=models.Index(fields=['gateway', '-id'], name='report_by_gateway'),
        ),
        migrations.AddField(
            model_name='discrepancy',
            name='report',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='discrepancies', to='payments.gatewayreport'),
        ),
        migrations.AddField(
            model_name='payout',
            name='author',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='discrepancy',
            constraint=models.CheckConstraint(condition=models.Q(('payment__isnull', False), ('kind', 'missing_here'), _connector='OR'), name='only_what_is_missing_here_has_no_payment'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='payout_is_not_zero'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.CheckConstraint(condition=models.Q(('gateway_id', ''), _negated=True), name='payout_has_an_id'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.UniqueConstraint(fields=('gateway', 'gateway_id'), name='one_payout_per_gateway_object'),
        ),
        migrations.RunSQL(GUARDS, DROP_GUARDS),
    ]

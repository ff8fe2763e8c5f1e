"""Adjustments by hand, and triggers for the rules that a CHECK constraint cannot express, each named after its rule."""

import core.ids
import django.db.models.deletion
import functools
from django.conf import settings
from django.db import migrations, models


GUARDS = """
CREATE TRIGGER adjustment_above_the_limit_begins_waiting
    BEFORE INSERT ON payments_adjustment FOR EACH ROW
    WHEN (NEW.needs_approval AND NEW.status <> 'waiting')
    EXECUTE FUNCTION core_refuse('An adjustment above the limit begins waiting for a second person.');

CREATE TRIGGER adjustment_is_decided_once
    BEFORE UPDATE ON payments_adjustment FOR EACH ROW
    WHEN (OLD.status <> 'waiting' AND OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION core_refuse('An adjustment that was decided never changes.');

CREATE TRIGGER adjustment_keeps_what_was_asked_for
    BEFORE UPDATE ON payments_adjustment FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.customer_id, OLD.amount, OLD.currency, OLD.kind, OLD.reason, OLD.asked_by_id,
           OLD.created_at, OLD.needs_approval, OLD.idempotency_key, OLD.fingerprint)
              IS DISTINCT FROM
          (NEW.id, NEW.public_id, NEW.customer_id, NEW.amount, NEW.currency, NEW.kind, NEW.reason, NEW.asked_by_id,
           NEW.created_at, NEW.needs_approval, NEW.idempotency_key, NEW.fingerprint))
    EXECUTE FUNCTION core_refuse('The customer, amount, kind, reason and author of an adjustment never change.');

CREATE TRIGGER adjustment_is_never_deleted
    BEFORE DELETE ON payments_adjustment FOR EACH ROW
    EXECUTE FUNCTION core_refuse('Adjustments are never deleted.');
"""

DROP_GUARDS = """
DROP TRIGGER adjustment_is_never_deleted ON payments_adjustment;
DROP TRIGGER adjustment_keeps_what_was_asked_for ON payments_adjustment;
DROP TRIGGER adjustment_is_decided_once ON payments_adjustment;
DROP TRIGGER adjustment_above_the_limit_begins_waiting ON payments_adjustment;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0020_staff_permissions'),
        ('core', '0002_refusal'),
        ('ledger', '0006_write_off'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Adjustment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('idempotency_key', models.CharField(editable=False, max_length=64, null=True)),
                ('fingerprint', models.CharField(editable=False, max_length=64, null=True)),
                ('public_id', models.CharField(default=functools.partial(core.ids.new_id, *('adj',), **{}), editable=False, max_length=40, unique=True)),
                ('amount', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('kind', models.CharField(choices=[('credit', 'credit'), ('debit', 'debit'), ('write_off', 'write-off of a debt')], max_length=10)),
                ('reason', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField()),
                ('needs_approval', models.BooleanField()),
                ('status', models.CharField(choices=[('waiting', 'waits for approval'), ('done', 'done'), ('declined', 'declined'), ('withdrawn', 'withdrawn')], max_length=10)),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_reason', models.CharField(blank=True, default='', max_length=200)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adjustments', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'adjustment',
                'verbose_name_plural': 'adjustments',
                'permissions': [('approve_adjustment', 'Can approve and decline adjustments that colleagues ask for')],
                'indexes': [models.Index(fields=['asked_by', 'customer', 'created_at'], name='adjustment_by_author'), models.Index(condition=models.Q(('status', 'waiting')), fields=['id'], name='adjustment_waiting')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='adjustment_is_more_than_zero'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='adjustment_currency_is_iso_4217'), models.CheckConstraint(condition=models.Q(('kind__in', ('credit', 'debit', 'write_off'))), name='adjustment_kind_is_known'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='adjustment_has_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', models.F('created_at')), ('decided_by__isnull', True), ('needs_approval', False), ('status', 'done')), models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('needs_approval', True), ('status', 'waiting')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('needs_approval', True), ('status__in', ('done', 'declined')), models.Q(('decided_by', models.F('asked_by')), _negated=True), models.Q(('decided_by', models.F('customer')), _negated=True)), models.Q(('decided_at__isnull', False), ('decided_by', models.F('asked_by')), ('decided_by__isnull', False), ('needs_approval', True), ('status', 'withdrawn')), _connector='OR'), name='adjustment_above_the_limit_takes_a_second_person'), models.CheckConstraint(condition=models.Q(('asked_by', models.F('customer')), _negated=True), name='adjustment_is_not_of_ones_own_money'), models.UniqueConstraint(fields=('idempotency_key',), name='one_adjustment_per_request')],
            },
        ),
        migrations.RunSQL(GUARDS, DROP_GUARDS),
    ]

"""Create the record of what staff do. Its triggers keep it append-only; each is named after its rule."""

import core.ids
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
import functools
from django.conf import settings
from django.db import migrations, models


GUARDS = """
CREATE TRIGGER staff_act_is_never_edited BEFORE UPDATE ON events_staffact FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('acts of staff are append-only: they are never edited');
CREATE TRIGGER staff_act_is_never_deleted BEFORE DELETE ON events_staffact FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('acts of staff are append-only: they are never deleted');
CREATE TRIGGER staff_acts_are_never_truncated BEFORE TRUNCATE ON events_staffact FOR EACH STATEMENT
    EXECUTE FUNCTION core_refuse('acts of staff are append-only: they are never truncated');
"""

DROP_GUARDS = """
DROP TRIGGER staff_act_is_never_edited ON events_staffact;
DROP TRIGGER staff_act_is_never_deleted ON events_staffact;
DROP TRIGGER staff_acts_are_never_truncated ON events_staffact;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0003_mails'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='StaffAct',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(core.ids.new_id, *('act',), **{}), editable=False, max_length=40, unique=True)),
                ('key', models.CharField(max_length=64, unique=True)),
                ('kind', models.CharField(max_length=60, verbose_name='act')),
                ('objects_touched', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, size=None)),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('subject', models.CharField(max_length=200, verbose_name='subject')),
                ('reason', models.CharField(blank=True, default='', max_length=300, verbose_name='reason')),
                ('result', models.CharField(blank=True, default='', max_length=500, verbose_name='result')),
                ('changes', models.JSONField(default=list, verbose_name='what changed')),
                ('address', models.GenericIPAddressField(null=True, verbose_name='address')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='time')),
                ('author', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='made by')),
                ('customer', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='customer')),
            ],
            options={
                'indexes': [models.Index(fields=['customer', '-id'], name='act_by_customer'), models.Index(fields=['author', '-id'], name='act_by_author'), models.Index(fields=['kind', '-id'], name='act_by_kind'), django.contrib.postgres.indexes.GinIndex(fields=['objects_touched'], name='act_by_object')],
            },
        ),
        migrations.RunSQL(GUARDS, DROP_GUARDS),
    ]

"""What receipts say about a customer."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_second_factors_of_users'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='address',
            field=models.CharField(blank=True, db_default='', default='', max_length=300, verbose_name='address'),
        ),
        migrations.AddField(
            model_name='user',
            name='company',
            field=models.CharField(blank=True, db_default='', default='', max_length=200, verbose_name='company'),
        ),
        migrations.AddField(
            model_name='user',
            name='tax_id',
            field=models.CharField(blank=True, db_default='', default='', max_length=50, verbose_name='tax ID'),
        ),
    ]

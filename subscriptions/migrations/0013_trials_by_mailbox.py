"""A trial knows the mailbox of its customer, so that another spelling of the same address gets no second one.

`mailbox_of` is the only place that knows how mail providers read an address. Each step can be taken twice: no transaction
takes back the first ones if the last one is interrupted.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

# Providers that ignore dots, those that also ignore hyphens and underscores, and the names of one and the same.
FUNCTION = r"""
    CREATE OR REPLACE FUNCTION mailbox_of(address text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT CASE
            WHEN part.domain IN ('gmail.com', 'googlemail.com') THEN replace(part.name, '.', '') || '@gmail.com'
            WHEN part.domain IN ('proton.me', 'protonmail.com', 'pm.me')
                THEN translate(part.name, '.-_', '') || '@proton.me'
            WHEN part.domain IN ('ya.ru', 'yandex.ru', 'yandex.com', 'yandex.by', 'yandex.kz')
                THEN replace(part.name, '-', '.') || '@yandex.ru'
            WHEN part.domain = '' THEN ''
            ELSE part.name || '@' || part.domain
        END
        FROM (SELECT regexp_replace(split_part(lower(address), '@', 1), '(.)\+.*$', '\1') AS name,
                     split_part(lower(address), '@', 2) AS domain) AS part
    $$
"""
BACKFILL = """
    UPDATE subscriptions_trial AS trial SET mailbox = mailbox_of(customer.email)
      FROM accounts_user AS customer WHERE customer.id = trial.customer_id AND trial.mailbox = ''
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("subscriptions", "0012_today"), ("accounts", "0007_refresh_repeats")]

    operations = [
        migrations.RunSQL([FUNCTION], ["DROP FUNCTION IF EXISTS mailbox_of(text)"]),
        migrations.RunSQL(
            ["ALTER TABLE subscriptions_trial ADD COLUMN IF NOT EXISTS mailbox varchar(254) DEFAULT '' NOT NULL"],
            ["ALTER TABLE subscriptions_trial DROP COLUMN IF EXISTS mailbox"],
            state_operations=[
                migrations.AddField(
                    "trial", "mailbox", models.CharField(max_length=254, default="", db_default="", editable=False)
                ),
            ],
        ),
        migrations.RunSQL([BACKFILL], migrations.RunSQL.noop),
        AddIndexConcurrently(
            "trial", models.Index(fields=["mailbox"], condition=~Q(mailbox=""), name="trial_by_mailbox")
        ),
    ]

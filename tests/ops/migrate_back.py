"""A program: runs the `migrate` commands of its argument, a JSON list of lists of words, in one process.

"count" among them prints how many tables and functions of ours are left at that point.
"""

import json
import sys

import django
from django.core.management import call_command
from django.db import connection

APPS = ("payments", "subscriptions", "ledger", "events", "accounts", "core")
LEFT = """
    SELECT (SELECT count(*) FROM pg_tables WHERE split_part(tablename, '_', 1) = ANY(%s)),
        (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
"""


def main() -> None:
    django.setup()
    for command in json.loads(sys.argv[1]):
        if command != ["count"]:
            call_command(*command, verbosity=0)
            continue
        with connection.cursor() as cursor:
            cursor.execute(LEFT, [list(APPS)])
            tables, functions = cursor.fetchone()
        sys.stdout.write(f"left: {tables} tables, {functions} functions\n")


if __name__ == "__main__":
    main()

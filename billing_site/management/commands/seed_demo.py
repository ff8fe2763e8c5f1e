"""`manage.py seed_demo`: create demo plans, people and three months of history. A second run changes nothing."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing_site.demo import logins, story


class Command(BaseCommand):
    help = "Fill an empty database with demo plans, customers and history. Local machines only."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOCAL:
            raise CommandError("The passwords of the demo are public, so it is for local machines only (LOCAL=1).")
        seeded = story.seed(now=timezone.now())
        self.stdout.write("Demo data created. Log in as:" if seeded else "Demo data exists already. Log in as:")
        self.stdout.write(logins.listing())
        self.stdout.write("Next: make run, or manage.py check_ledger")

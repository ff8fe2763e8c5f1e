"""Helpers for tests that change the plan on the pages. No test lives here."""

from typing import Any

from django.test import Client

from subscriptions.models import Quote, Subscription
from tests.web import address


def choose(browser: Client, row: Subscription, plan: str = "premium", when: str = "now") -> Any:
    """Choose a plan and follow the redirect to the quote."""
    return browser.get(address(row, f"change/?plan={plan}&when={when}"), follow=True)


def quote_page(row: Subscription) -> str:
    """Return the address of the newest quote."""
    return address(row, f"change/{Quote.objects.latest('pk').public_id}/")

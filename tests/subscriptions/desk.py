"""Helpers for the pages on which staff act on a subscription or start one. No test lives here."""

from typing import Any

from django.test import Client

from accounts.models import User
from events.models import StaffAct
from ledger.display import money
from ledger.money import Money
from subscriptions.models import Subscription
from tests.staff import member
from tests.web import hidden


def desk(role: str, username: str = "") -> Client:
    """Return the browser of a new member of staff with a role."""
    client = Client()
    client.force_login(member(role, username))
    return client


def url(row: Subscription, page: str) -> str:
    return f"/admin/subscriptions/subscription/{row.pk}/{page}/"


def sale(customer: User) -> str:
    return f"/admin/accounts/user/{customer.pk}/subscribe/"


def filled(client: Client, address: str, **fields: object) -> dict[str, str]:
    """Return what the page sends: its hidden fields, a reason, and what is filled in."""
    page = client.get(address)
    assert page.status_code == 200, page
    return {**hidden(page), "reason": "Asked by phone", **{name: str(value) for name, value in fields.items()}}


def ask(client: Client, address: str, **fields: object) -> Any:
    """Return the page with the table before -> after."""
    return client.post(address, filled(client, address, **fields))


def send(client: Client, address: str, **fields: object) -> Any:
    """Confirm the page twice, as a double click does, and return the first answer."""
    sent = filled(client, address, **fields) | {"confirmed": "1"}
    answer = client.post(address, sent)
    client.post(address, sent)
    return answer


def table(answer: Any) -> dict[str, tuple[str, str]]:
    """Return what changes by the table of a page: name -> before, after."""
    assert answer.context["changes"], answer.context["form"].errors
    return {each.name: (each.before, each.after) for each in answer.context["changes"] if each.is_change}


def rub(amount: int) -> str:
    return money(Money(amount, "RUB"))


def kinds() -> list[str]:
    """Return the kinds of the acts of staff, in order."""
    return list(StaffAct.objects.order_by("id").values_list("kind", flat=True))

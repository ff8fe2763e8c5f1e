"""The admin of billing clocks: filters, preview of charges, and the settle action."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from subscriptions import billing_run, books
from subscriptions.models import BillingClock, Subscription
from tests import chosen
from tests.subscriptions.bank import basic, people
from tests.subscriptions.picture import lines, picture
from tests.subscriptions.shop import pay_in

pytestmark = pytest.mark.django_db
LIST = "admin:subscriptions_billingclock_changelist"
CHANGE = "admin:subscriptions_billingclock_change"


@pytest.fixture
def late() -> User:
    """A customer with a renewal that was due 10 days ago and is not settled."""
    [user] = people(1)
    begun = timezone.now() - timedelta(days=41)
    pay_in(user, 2500_00, at=begun)
    with books.open(user, "RUB", now=begun) as book:
        book.subscribe(basic())
    return user


def clock_of(user: User) -> BillingClock:
    return BillingClock.objects.get(wallet__owner=user)


def press(client: Client, user: User) -> str:
    return chosen.confirm(client, reverse(LIST), "settle", clock_of(user))


def allow(user: User, *names: str) -> None:
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="subscriptions", codename__in=names))


def test_the_list_filters_waiting_parked_and_due_books(client, superuser, late):
    client.force_login(superuser)
    [other] = people(1, "fine")
    pay_in(other, 1, at=timezone.now())

    def shown(kind: str) -> list[BillingClock]:
        return list(client.get(reverse(LIST), {"attention": kind}).context["cl"].queryset)

    assert (shown("waiting"), shown("parked"), shown("due")) == ([clock_of(late)], [], [])
    BillingClock.objects.filter(pk=clock_of(late).pk).update(
        parked_at=timezone.now(), parked_reason="IntegrityError: one"
    )
    assert (shown("waiting"), shown("parked"), shown("due")) == ([], [clock_of(late)], [])
    assert "IntegrityError: one" in client.get(reverse(LIST)).content.decode()


def test_the_page_shows_what_settling_would_charge_and_charges_nothing(client, superuser, late):
    client.force_login(superuser)
    before = picture(late)
    page = client.get(reverse(CHANGE, args=[clock_of(late).pk])).content.decode()
    assert "990.00" in page
    assert Subscription.objects.get().public_id in page
    assert picture(late) == before


def test_the_page_of_a_broken_book_shows_the_error(client, superuser, late):
    client.force_login(superuser)
    Subscription.objects.update(anchor_at=None)
    answer = client.get(reverse(CHANGE, args=[clock_of(late).pk]))
    assert answer.status_code == 200
    assert "AssertionError" in answer.content.decode()


def test_the_action_settles_overdue_books(client, superuser, late):
    client.force_login(superuser)
    assert billing_run.run_due(now=timezone.now()) == billing_run.Run(held_back=1)
    page = press(client, late)
    assert "Balances billed: 1. Charges made: 1. Parked: 0." in page
    assert [row[:2] for row in lines(late)] == [("top_up", 2500_00), ("charge", -990_00), ("charge", -990_00)]
    # The second time there is nothing to charge.
    assert "Nothing is due in this book." in press(client, late)


def test_the_action_reports_books_it_had_to_park(client, superuser, late):
    client.force_login(superuser)
    Subscription.objects.update(anchor_at=None)
    assert "Parked: 1." in press(client, late)
    assert "AssertionError" in clock_of(late).parked_reason


@pytest.mark.parametrize(
    ("names", "allowed"), [(["view_billingclock"], False), (["view_billingclock", "change_billingclock"], True)]
)
def test_only_staff_who_may_change_books_have_the_action(client, staff, late, names, allowed):
    allow(staff, *names)
    client.force_login(staff)
    assert ('value="settle"' in client.get(reverse(LIST)).content.decode()) is allowed
    sent = {"seen": f"{clock_of(late).pk}:0", "reason": "x", "form_key": "k", "confirmed": "1"}
    assert client.post(f"{reverse(LIST)}chosen/settle/", sent).status_code == (303 if allowed else 403)
    assert len(lines(late)) == (3 if allowed else 2)


def test_nobody_edits_adds_or_deletes_a_book(client, superuser, late):
    client.force_login(superuser)
    pk = clock_of(late).pk
    before = picture(late)
    assert client.post(reverse(CHANGE, args=[pk]), {"parked_reason": "x"}).status_code == 403
    assert (
        client.post(reverse("admin:subscriptions_billingclock_delete", args=[pk]), {"post": "yes"}).status_code == 403
    )
    assert client.get(reverse("admin:subscriptions_billingclock_add")).status_code == 403
    assert picture(late) == before


def test_a_customer_sees_no_book(client, late, alice):
    client.force_login(alice)
    assert client.get(reverse(CHANGE, args=[clock_of(late).pk])).status_code in (302, 403)

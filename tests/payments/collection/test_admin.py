"""Staff see each collection with its attempts and decisions, and the schedule ahead; they may stop one."""

import pytest
from django.test import Client

from accounts.models import User
from events.models import StaffAct
from payments.collection import top_ups
from payments.models import AutoTopUp, CollectionPlan
from tests import chosen
from tests.payments.collection.story import Story

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client: Client, superuser: User) -> Client:
    client.force_login(superuser)
    return client


@pytest.fixture
def declined(story: Story) -> Story:
    """A renewal that was declined once."""
    subscription = story.buy()
    story.agree()
    story.run()
    story.answer("insufficient_funds")
    story.travel_ahead_of(subscription)
    story.run()
    return story


def test_a_collection_shows_its_attempts_and_decisions(office: Client, declined: Story) -> None:
    page = office.get(f"/admin/payments/collection/{declined.collection.pk}/change/").content.decode()
    assert declined.attempts[0].public_id in page
    assert "so much was missing" in page
    assert "insufficient_funds" in page


def test_the_schedule_ahead_shows_the_last_decision(office: Client, declined: Story) -> None:
    page = office.get("/admin/payments/collectionplan/").content.decode()
    assert "1 declined so far" in page


def test_staff_stop_a_collection_for_a_reason_that_is_logged(office: Client, declined: Story, superuser: User) -> None:
    page, sent = f"/admin/payments/collection/{declined.collection.pk}/stop/", {"reason": "Asked by phone"}
    changes = {each.name: (each.before, each.after) for each in office.post(page, sent).context["changes"]}
    assert changes["Collection"] == ("waiting", "stopped")
    assert declined.collection.status == "waiting"
    answers = [office.post(page, sent | {"confirmed": "1"}, follow=True) for _ in range(2)]
    assert (declined.collection.status, declined.collection.reason) == ("stopped", "stopped_by_staff")
    assert "This was done before." in answers[1].content.decode()
    act = StaffAct.objects.get()
    assert (act.kind, act.author, act.customer) == ("collection.stop", superuser, declined.collection.customer)
    assert (act.result, act.reason) == (f"{declined.collection} is now stopped.", "Asked by phone")
    assert "This collection has ended: stopped." in office.get(page).content.decode()


def test_staff_have_a_parked_wallet_looked_at_again(office: Client, declined: Story) -> None:
    CollectionPlan.objects.update(parked_reason="Failed 8 times", failures=8, check_at=None)
    page = chosen.confirm(office, "/admin/payments/collectionplan/", "look-again", CollectionPlan.objects.get())
    assert "The next run looks at it." in page
    plan = CollectionPlan.objects.get()
    assert (plan.parked_reason, plan.failures, plan.check_at) == ("", 0, declined.now)
    act = StaffAct.objects.get()
    assert (act.kind, act.customer) == ("collectionplan.look_again", declined.collection.customer)
    assert ["Why it waits for staff", "Failed 8 times", "–"] in act.changes


def test_consents_are_shown_with_their_words(office: Client, declined: Story) -> None:
    page = office.get("/admin/payments/consent/").content.decode()
    assert "Visa •••• 4242" in page


def test_the_plan_of_a_wallet_shows_its_decisions(office: Client, declined: Story) -> None:
    page = office.get(f"/admin/payments/collectionplan/{CollectionPlan.objects.get().pk}/change/").content.decode()
    assert "Charged 990.00 RUB to Visa •••• 4242" in page
    assert "1 declined so far" in page


def test_the_numbers_of_a_rule_are_amounts_of_money(office: Client, story: Story) -> None:
    story.buy()
    top_ups.turn_on(story.card, "RUB", threshold=600_00, amount=700_00, cap=2000_00, address=None, now=story.now)
    rule = AutoTopUp.objects.get()
    for path in ("", f"{rule.pk}/change/"):
        page = office.get(f"/admin/payments/autotopup/{path}").content.decode()
        assert all(amount in page for amount in ("₽600.00", "₽700.00", "₽2,000.00"))
        assert "60000" not in page

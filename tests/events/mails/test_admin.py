"""Staff see mails, send them again and give them up, which is logged, and clear addresses that bounced."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils.html import escape

from events.mails import bounces, delivery
from events.models import Mail, StaffAct, UnreachableAddress
from tests.events.mails.sample import NOON, at, waiting
from tests.staff import member
from tests.web import hidden

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/events/mail/"


@pytest.fixture
def desk(superuser) -> Client:
    """The browser of a superuser."""
    return browser(superuser)


def browser(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def act(client: Client, action: str, *rows: Mail | UnreachableAddress, path: str = LIST) -> str:
    """Run an action of the list on these rows and return the page that follows."""
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return str(client.post(path, data, follow=True).content.decode())


def test_the_list_is_searched_by_customer_and_address_and_filtered_by_state_and_kind(desk, alice, mallory):
    [of_alice] = waiting(alice, "one")
    [of_mallory] = waiting(mallory, "two", kind="sample", cause="c")
    delivery.run(now=NOON)
    waiting(alice, "three", now=at(hours=1))

    def found(query: str) -> set[str]:
        page = desk.get(LIST + query).content.decode()
        return {mail.public_id for mail in Mail.objects.all() if mail.public_id in page}

    assert len(found("")) == 3
    assert found("?q=mallory@example.com") == found("?kind=sample") == {of_mallory.public_id}
    assert of_alice.public_id in found("?q=alice") - found("?state=waiting")


def test_a_mail_is_shown_as_it_would_be_sent_now(desk, alice):
    [mail] = waiting(alice, "<b>one</b>")
    page = desk.get(f"{LIST}{mail.pk}/change/").content.decode()
    assert "News for alice" in page
    assert escape("<b>one</b>") in page
    answer = desk.get(f"{LIST}{mail.pk}/html/")
    assert escape("<b>one</b>") in answer.content.decode()
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_a_mail_of_the_log_in_is_never_shown(desk, alice):
    mail = Mail.objects.create(
        customer=alice, kind=Mail.LOGIN, cause="1", address=alice.email, text="secret link", html="<p>secret link</p>",
        created_at=NOON, due_at=NOON, park_at=at(days=1),
    )  # fmt: skip
    page = desk.get(f"{LIST}{mail.pk}/change/").content.decode()
    assert "It cannot be shown" in page
    assert "secret link" not in page
    assert desk.get(f"{LIST}{mail.pk}/html/").status_code == 404


def test_a_parked_mail_is_sent_again_and_the_act_is_logged(desk, alice, superuser, post):
    [mail] = waiting(alice, "one")
    post.refuses = {"alice@example.com": 550}
    delivery.run(now=NOON)
    assert "1 mail will be sent." in act(desk, "send_again", mail)
    mail.refresh_from_db()
    assert (mail.state, mail.resends) == ("waiting", 1)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (superuser, str(mail.pk), "sent again")
    assert "0 mails will be sent." in act(desk, "send_again", mail)
    assert LogEntry.objects.count() == 1


def test_a_waiting_mail_is_given_up(desk, alice, post):
    [mail] = waiting(alice, "one")
    assert "1 mail was given up." in act(desk, "give_up", mail)
    delivery.run(now=NOON)
    assert post.taken == []
    mail.refresh_from_db()
    assert (mail.state, mail.reason) == ("given_up", "Given up by root.")


def test_staff_who_may_only_look_have_no_actions(staff, alice):
    staff.user_permissions.add(Permission.objects.get(codename="view_mail"))
    client = browser(staff)
    [mail] = waiting(alice, "one")
    assert "give_up" not in client.get(LIST).content.decode()
    act(client, "give_up", mail)
    mail.refresh_from_db()
    assert mail.state == "waiting"


def test_an_address_that_bounced_is_on_the_customers_page_until_staff_clear_it(desk, alice):
    bounces.mark("alice@example.com", "550 no such user", now=NOON)
    page = f"/admin/accounts/user/{alice.pk}/change/"
    assert "Emails come back from this address" in desk.get(page).content.decode()
    row = UnreachableAddress.objects.get()
    assert "1 address gets mails again." in act(desk, "clear", row, path="/admin/events/unreachableaddress/")
    assert not UnreachableAddress.objects.exists()
    assert LogEntry.objects.get().object_repr == "alice@example.com"
    assert "Emails come back" not in desk.get(page).content.decode()


def confirm(client: Client, mail: Mail, page: str, **fields: str) -> str:
    """Confirm a page of an act twice, as a double click does, and return the page that follows."""
    path = f"{LIST}{mail.pk}/{page}/"
    sent = {**hidden(client.get(path)), "reason": "Asked by phone", "confirmed": "1", **fields}
    client.post(path, sent)
    return str(client.post(path, sent, follow=True).content.decode())


def test_a_developer_sends_a_mail_again_once_with_a_reason(alice, post):
    [mail] = waiting(alice, "one")
    delivery.run(now=NOON)
    developer = member("developer")
    client = browser(developer)
    path = f"{LIST}{mail.pk}/send-again/"
    shown = client.post(path, {**hidden(client.get(path)), "reason": "Lost"}).context["changes"]
    assert ("Status", "sent", "waiting") in shown
    assert "This was done before." in confirm(client, mail, "send-again")
    mail.refresh_from_db()
    assert (mail.state, mail.resends) == ("waiting", 1)
    act = StaffAct.objects.get()
    assert (act.kind, act.author, act.customer, act.reason) == ("mail.send_again", developer, alice, "Asked by phone")
    assert ["Status", "sent", "waiting"] in act.changes


def test_two_people_give_up_a_mail_and_one_act_is_recorded(alice, post):
    [mail] = waiting(alice, "one")
    path, second = f"{LIST}{mail.pk}/give-up/", browser(member("support"))
    sent = {**hidden(second.get(path)), "reason": "Old", "confirmed": "1"}
    confirm(browser(member("developer")), mail, "give-up")
    assert "Somebody else has acted meanwhile" in second.post(path, sent).content.decode()
    mail.refresh_from_db()
    assert (mail.state, StaffAct.objects.get().kind) == ("given_up", "mail.give_up")


def test_a_mail_of_the_log_in_is_not_offered_to_be_sent_again(alice):
    mail = Mail.objects.create(
        customer=alice, kind=Mail.LOGIN, cause="1", address=alice.email, state="parked", created_at=NOON,
        park_at=at(days=1),
    )  # fmt: skip
    client = browser(member("developer"))
    links = client.get(f"{LIST}{mail.pk}/change/").context["decisions"]
    assert [str(title) for title, _ in links] == ["Give up"]
    assert "It cannot be sent again." in client.get(f"{LIST}{mail.pk}/send-again/").content.decode()


@pytest.mark.parametrize("role", ["finance", "catalogue", "auditor"])
def test_other_roles_may_not_act_on_mails_and_see_no_button(alice, role):
    [mail] = waiting(alice, "one")
    client = browser(member(role))
    for page in ("send-again", "give-up"):
        assert client.post(f"{LIST}{mail.pk}/{page}/", {"reason": "x", "confirmed": "1"}).status_code == 403
    answer = client.get(f"{LIST}{mail.pk}/change/")
    assert answer.status_code == 403 if role == "catalogue" else answer.context["decisions"] == []


def test_each_row_of_an_action_of_the_list_is_recorded(desk, alice, superuser):
    mails = waiting(alice, "one", "two")
    act(desk, "give_up", *mails)
    rows = StaffAct.objects.order_by("id").values_list("author", "subject", "result", "customer")
    assert list(rows) == [(superuser.pk, mail.public_id, "given up", alice.pk) for mail in mails]

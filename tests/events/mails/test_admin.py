"""Staff see mails, send them again and give them up, which is logged, and clear addresses that bounced."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils.html import escape

from events.mails import bounces, delivery
from events.models import Mail, StaffAct, UnreachableAddress
from tests import chosen
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


def test_chosen_mails_are_sent_again_and_each_act_is_recorded(desk, alice, superuser, post):
    mails = waiting(alice, "one", "two")
    post.refuses = {"alice@example.com": 550}
    delivery.run(now=NOON)
    assert "Send again: 2 rows done." in chosen.confirm(desk, LIST, "send-again", *mails)
    rows = StaffAct.objects.order_by("id").values_list("author", "kind", "subject", "reason", "customer")
    assert list(rows) == [
        (superuser.pk, "mail.send_again", mail.public_id, "Asked by phone", alice.pk) for mail in mails
    ]
    for mail in mails:
        mail.refresh_from_db()
        assert (mail.state, mail.resends) == ("waiting", 1)


def test_a_review_of_chosen_mails_shows_what_changes_and_what_cannot(desk, alice, post):
    [parked] = waiting(alice, "one")
    post.refuses = {"alice@example.com": 550}
    delivery.run(now=NOON)
    [fresh] = waiting(alice, "two", now=at(hours=1))
    page = chosen.review(desk, LIST, "send-again", parked, fresh).content.decode()
    assert "Nothing is saved yet." in page
    assert "This mail waits to be sent." in page
    said = chosen.confirm(desk, LIST, "send-again", parked, fresh)
    assert "Send again: 1 row done." in said
    assert f"{fresh}: This mail waits to be sent." in said
    assert StaffAct.objects.count() == 1


def test_a_waiting_mail_is_given_up_once(desk, alice, post):
    [mail] = waiting(alice, "one")
    assert "Give up: 1 row was done before." in chosen.confirm(desk, LIST, "give-up", mail, times=2)
    delivery.run(now=NOON)
    assert post.taken == []
    mail.refresh_from_db()
    assert (mail.state, mail.reason) == ("given_up", "Given up by root.")
    assert StaffAct.objects.count() == 1


def test_choosing_an_act_in_the_list_changes_nothing(desk, alice):
    [mail] = waiting(alice, "one")
    chosen.choose(desk, LIST, "give-up", mail)
    mail.refresh_from_db()
    assert mail.state == "waiting"


def test_an_act_on_chosen_rows_needs_a_reason(desk, alice):
    [mail] = waiting(alice, "one")
    answer = chosen.review(desk, LIST, "give-up", mail, reason=" ")
    assert "There is a problem" in answer.content.decode()
    desk.post(f"{LIST}chosen/give-up/", {**hidden(answer), "reason": "", "confirmed": "1"})
    mail.refresh_from_db()
    assert mail.state == "waiting"


def test_a_mail_on_which_somebody_else_has_acted_meanwhile_is_left(desk, alice, post):
    first, second = waiting(alice, "one", "two", kind="sample")
    Mail.objects.filter(pk=second.pk).update(customer=None)
    sent = {**hidden(chosen.review(desk, LIST, "give-up", first, second)), "reason": "Old", "confirmed": "1"}
    confirm(browser(member("developer")), first, "give-up")
    said = desk.post(f"{LIST}chosen/give-up/", sent, follow=True).content.decode()
    assert "Give up: 1 row done." in said
    assert f"{first}: " in said
    assert StaffAct.objects.count() == 2


@pytest.mark.parametrize(
    "rows", ["", "x", "1,x", "-1", "999999999999999999", "9" * 40, "٣", "1'--", ",".join(map(str, range(5000)))]
)
def test_rows_that_are_none_are_not_found(desk, rows):
    assert desk.get(f"{LIST}chosen/give-up/", {"rows": rows}).status_code == 404
    sent = {"seen": rows, "reason": "x", "form_key": "k", "confirmed": "1"}
    assert desk.post(f"{LIST}chosen/give-up/", sent).status_code == 404


def test_staff_who_may_only_look_have_no_actions(staff, alice):
    staff.user_permissions.add(Permission.objects.get(codename="view_mail"))
    client = browser(staff)
    [mail] = waiting(alice, "one")
    assert 'value="give-up"' not in client.get(LIST).content.decode()
    assert client.get(f"{LIST}chosen/give-up/?rows={mail.pk}").status_code == 403
    sent = {"seen": f"{mail.pk}:0", "reason": "x", "form_key": "k", "confirmed": "1"}
    assert client.post(f"{LIST}chosen/give-up/", sent).status_code == 403
    mail.refresh_from_db()
    assert mail.state == "waiting"


def test_an_address_that_bounced_is_on_the_customers_page_until_staff_clear_it(desk, alice):
    bounces.mark("alice@example.com", "550 no such user", now=NOON)
    page = f"/admin/accounts/user/{alice.pk}/change/"
    assert "Emails come back from this address" in desk.get(page).content.decode()
    row, path = UnreachableAddress.objects.get(), "/admin/events/unreachableaddress/"
    shown = chosen.review(desk, path, "clear", row).content.decode()
    assert "held back" in shown
    assert "1 row was done before" not in chosen.confirm(desk, path, "clear", row)
    assert not UnreachableAddress.objects.exists()
    act = StaffAct.objects.get()
    assert (act.kind, act.subject, act.reason) == ("unreachableaddress.clear", "alice@example.com", "Asked by phone")
    assert "Emails come back" not in desk.get(page).content.decode()


def test_a_double_click_that_clears_an_address_comes_to_the_list(desk, alice):
    bounces.mark("alice@example.com", "550 no such user", now=NOON)
    path = "/admin/events/unreachableaddress/"
    page = f"{path}{UnreachableAddress.objects.get().pk}/clear/"
    sent = {**hidden(desk.get(page)), "reason": "Mended", "confirmed": "1"}
    first, second = (desk.post(page, sent) for _ in range(2))
    assert (first["location"], second["location"]) == (path, path)
    assert "This was done before." in desk.get(path).content.decode()
    assert StaffAct.objects.count() == 1
    assert desk.get(page).status_code == 404


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


def test_what_came_of_each_chosen_row_is_said(desk):
    rows = [
        UnreachableAddress.objects.create(address=f"a{n}@example.com", reason="550", bounced_at=NOON) for n in range(12)
    ]
    page = chosen.confirm(desk, "/admin/events/unreachableaddress/", "clear", *rows)
    assert "Send to this address again: 12 rows done." in page
    assert all(f"Emails to {row.address} are sent again." in page for row in rows)

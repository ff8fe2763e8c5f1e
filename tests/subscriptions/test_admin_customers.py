"""Support blocks customers, changes addresses and helps with the log-in, each once, with a reason and a record."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import User
from events.models import Mail, StaffAct
from subscriptions import books
from subscriptions.models import Subscription
from tests.accounts.conftest import me
from tests.staff import member
from tests.subscriptions.bank import basic, hourly
from tests.subscriptions.shop import pay_in
from tests.web import hidden

pytestmark = pytest.mark.django_db
ACTS = ("block", "unblock", "change-address", "reset-second-factor", "send-password-link")


@pytest.fixture(autouse=True)
def outbox(settings: Any) -> None:
    """Write mails into the outbox, as in production."""
    settings.EMAIL_BACKEND = "events.mails.backend.Outbox"


@pytest.fixture
def desk(client: Client) -> Client:
    """The browser of a member of the support team."""
    client.force_login(member("support"))
    return client


def url(person: User, page: str) -> str:
    return f"/admin/accounts/user/{person.pk}/{page}/"


def send(desk: Client, person: User, page: str, **fields: str) -> Any:
    """Confirm the page twice, as a double click does, and return the second answer."""
    sent = {**hidden(desk.get(url(person, page))), "reason": "Asked by phone", "confirmed": "1", **fields}
    desk.post(url(person, page), sent)
    return desk.post(url(person, page), sent)


def kinds() -> list[str]:
    return list(StaffAct.objects.order_by("id").values_list("kind", flat=True))


def subjects(address: str) -> list[str]:
    return list(Mail.objects.filter(address=address).order_by("id").values_list("subject", flat=True))


def factor_of(person: User) -> Authenticator:
    return Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})


def test_a_block_shows_what_stops_and_happens_once(desk: Client, alice: User) -> None:
    now = timezone.now()
    pay_in(alice, 3000_00, at=now)
    with books.open(alice, "RUB", now=now) as book:
        server, paid = book.subscribe(hourly()), book.subscribe(basic())
    page = desk.post(url(alice, "block"), {**hidden(desk.get(url(alice, "block"))), "reason": "Fraud"})
    table = {change.name: (change.before, change.after) for change in page.context["changes"]}
    assert table["Account"] == ("open", "blocked")
    [of_server] = [sides for name, sides in table.items() if server.public_id in name]
    assert (of_server[0].startswith("Active"), of_server[1]) == (True, "Paused")
    assert any(paid.public_id in name for name in table)
    assert User.objects.get(pk=alice.pk).is_active

    assert send(desk, alice, "block").status_code == 303
    assert not User.objects.get(pk=alice.pk).is_active
    assert set(Subscription.objects.values_list("pk", "status")) == {(server.pk, "paused"), (paid.pk, "active")}
    act = StaffAct.objects.get()
    assert (act.kind, act.customer, act.reason) == ("user.block", alice, "Asked by phone")
    assert ["Account", "open", "blocked"] in act.changes

    send(desk, alice, "unblock")
    assert User.objects.get(pk=alice.pk).is_active
    assert Subscription.objects.get(pk=server.pk).status == "active"
    assert kinds() == ["user.block", "user.unblock"]


def test_two_people_block_a_customer_and_the_second_is_asked_again(desk: Client, alice: User) -> None:
    other = Client()
    other.force_login(member("support", "sam"))
    sent = {**hidden(other.get(url(alice, "send-password-link"))), "reason": "Forgot", "confirmed": "1"}
    send(desk, alice, "send-password-link")
    answer = other.post(url(alice, "send-password-link"), sent)
    assert "Somebody else has acted meanwhile" in answer.content.decode()
    assert kinds() == ["user.password_link"]


def test_a_new_address_replaces_the_old_one_and_both_are_told(desk: Client, alice: User) -> None:
    old = alice.email
    assert send(desk, alice, "change-address", email="New@Example.com").status_code == 303
    assert User.objects.get(pk=alice.pk).email == "new@example.com"
    assert [row.email for row in EmailAddress.objects.filter(user=alice)] == ["new@example.com"]
    assert subjects(old) == subjects("new@example.com") == ["Your email address was changed"]
    assert kinds() == ["user.address"]
    assert ["Email address", old, "new@example.com"] in StaffAct.objects.get().changes


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("MALLORY@example.com", "Another user has this address."),
        ("ALICE@example.com", "The customer has this address already."),
        ("nobody", "Enter an email address, for example name@example.com."),
    ],
)
def test_an_address_that_cannot_be_is_refused(desk: Client, alice: User, mallory: User, email: str, said: str) -> None:
    answer = send(desk, alice, "change-address", email=email)
    assert said in answer.content.decode()
    assert "email" in answer.context["form"].errors
    assert (User.objects.get(pk=alice.pk).email, kinds(), Mail.objects.count()) == (alice.email, [], 0)


def test_a_second_factor_is_reset_with_all_sessions(desk: Client, alice: User) -> None:
    pair, browser = tokens.issue(alice, now=timezone.now()), Client()
    browser.force_login(alice)
    factor_of(alice)
    assert send(desk, alice, "reset-second-factor").status_code == 303
    assert not Authenticator.objects.exists()
    assert me(pair.access).status_code == 401
    assert browser.get("/account/").status_code == 302
    assert subjects(alice.email) == ["Two-step verification is off"]
    assert kinds() == ["user.second_factor"]
    assert "has no second factor" in desk.get(url(alice, "reset-second-factor")).content.decode()


def test_a_link_for_a_new_password_is_sent_and_never_shown(desk: Client, alice: User) -> None:
    before = alice.password
    answer = desk.post(
        url(alice, "send-password-link"), {**hidden(desk.get(url(alice, "send-password-link"))), "reason": "Forgot"}
    )
    assert Mail.objects.count() == 0
    assert send(desk, alice, "send-password-link").status_code == 303
    mail = Mail.objects.get()
    [link] = [word for word in mail.text.split() if "/password/reset/key/" in word]
    assert mail.address == alice.email
    for page in (answer, desk.get(f"/admin/accounts/user/{alice.pk}/change/")):
        assert "/password/reset/key/" not in page.content.decode()
    assert link.rsplit("/", 2)[1] not in str(StaffAct.objects.values())
    assert User.objects.get(pk=alice.pk).password == before
    path = link.replace("http://", "").partition("/")[2]
    assert Client().get(f"/{path}", follow=True).context["form"].fields.keys() >= {"password1"}


@pytest.mark.parametrize("role", ["finance", "developer", "auditor", "catalogue"])
def test_others_may_not_and_see_no_button(client: Client, alice: User, role: str) -> None:
    factor_of(alice)
    client.force_login(member(role))
    for name in ACTS:
        assert client.get(url(alice, name)).status_code == 403
        assert client.post(url(alice, name), {"reason": "x", "confirmed": "1"}).status_code == 403
    page = client.get(url(alice, "change"))
    offered = [href for _, href in page.context.get("decisions", [])] if page.context else []
    assert not {url(alice, name) for name in ACTS} & set(offered)
    assert User.objects.get(pk=alice.pk).is_active


def test_support_sees_the_buttons_of_what_is_possible(desk: Client, alice: User) -> None:
    titles = [str(title) for title, _ in desk.get(url(alice, "change")).context["decisions"]]
    # Other apps offer more, such as a credit.
    assert [title for title in titles if title not in ("Start a plan", "Credit")] == [
        "Block", "Change email address", "Send link for a new password",
    ]  # fmt: skip


def test_nobody_acts_on_oneself_and_only_superusers_on_staff(desk: Client, superuser: User) -> None:
    me_, other = User.objects.get(username="support"), member("auditor")
    for person in (me_, other, superuser):
        assert desk.get(url(person, "block")).status_code == 403
        assert desk.get(url(person, "change")).context["decisions"] == []
    root = Client()
    root.force_login(superuser)
    assert root.get(url(superuser, "block")).status_code == 403
    assert send(root, other, "block").status_code == 303
    assert not User.objects.get(pk=other.pk).is_active


def test_the_lists_action_without_a_reason_is_gone(superuser: User, client: Client, alice: User) -> None:
    client.force_login(superuser)
    client.post("/admin/accounts/user/", {"action": "close_accounts", "_selected_action": [alice.pk]})
    assert User.objects.get(pk=alice.pk).is_active

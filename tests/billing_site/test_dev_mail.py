"""/dev/mail/ shows the mails of a local run, and does not exist in production."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives, get_connection

from billing_site.local import mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kept(settings, tmp_path):
    """Two mails were sent; the second has HTML that would run a script."""
    settings.MAIL_FOLDER = tmp_path
    settings.DEFAULT_FROM_EMAIL = "billing@example.com"
    first = EmailMultiAlternatives("First", "Plain text only", None, ["anna@example.com"])
    second = EmailMultiAlternatives("Чек", "Ваш чек <b>", None, ["boris@example.com"], headers={"X-Test": "yes"})
    second.attach_alternative('<p style="color:red">Ваш чек<script>alert(1)</script></p>', "text/html")
    with get_connection("billing_site.local.mailbox.Mailbox") as server:
        assert server.send_messages([first, second]) == 2


def page(client, path: str = "") -> str:
    return str(client.get(f"/dev/mail/{path}").content.decode())


def test_the_newest_mail_is_shown_as_html_text_and_headers(client):
    newest, oldest = mailbox.names()
    text = page(client)
    assert text.index(">Чек</a>") < text.index(">First</a>")
    assert f'src="/dev/mail/{newest}/html/"' in text
    assert 'sandbox="allow-popups' in text
    assert "Ваш чек &lt;b&gt;" in text
    assert "<dt>X-Test</dt><dd>yes</dd>" in text
    assert "Plain text only" in page(client, f"{oldest}/")
    assert "<iframe" not in page(client, f"{oldest}/")


def test_the_html_runs_nothing_and_only_our_page_frames_it(client):
    answer = client.get(f"/dev/mail/{mailbox.names()[0]}/html/")
    assert 'style="color:red"' in answer.content.decode()
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox allow-popups" in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-src 'self'" in client.get("/dev/mail/")["Content-Security-Policy"]


def test_there_are_no_such_pages_in_production(client, settings):
    settings.LOCAL = False
    name = mailbox.names()[0]
    for path in ("", f"{name}/", f"{name}/html/"):
        assert client.get(f"/dev/mail/{path}").status_code == 404


def test_production_keeps_no_mails_in_files(settings):
    settings.LOCAL = False
    with pytest.raises(ImproperlyConfigured, match="Set EMAIL_URL"):
        get_connection("billing_site.local.mailbox.Mailbox").open()


@pytest.mark.parametrize("name", ["00000000000000000000", "x", "..%2f..%2fetc", "1"])
def test_a_name_that_is_none_of_a_mail_is_not_found(client, name):
    assert client.get(f"/dev/mail/{name}/").status_code == 404


def test_only_the_last_five_hundred_are_kept(settings, monkeypatch):
    monkeypatch.setattr(mailbox, "MOST", 3)
    with get_connection("billing_site.local.mailbox.Mailbox") as server:
        for number in range(4):
            server.send_messages([EmailMultiAlternatives(f"{number}", "x", None, ["a@example.com"])])
    subjects = [mail.subject for name in mailbox.names() if (mail := mailbox.read(name))]
    assert subjects == ["3", "2", "1"]

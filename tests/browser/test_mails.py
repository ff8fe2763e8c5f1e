"""Pages around mails: those of a local run, and stopping a kind of mails from the mail."""

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection

from accounts import mail_choices
from accounts.mail_choices import MailCategory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HTML = '<html lang="en"><head><title>Receipt</title></head><body style="color:red"><main><h1>Paid</h1></main></body>'


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_a_mail_is_shown_in_its_own_style_and_the_page_keeps_its_policy(visit, settings, tmp_path, prefix):
    settings.MAIL_FOLDER, settings.DEFAULT_FROM_EMAIL = tmp_path, "billing@example.com"
    mail = EmailMultiAlternatives("Receipt", "Paid", None, ["anna@example.com"])
    mail.attach_alternative(HTML, "text/html")
    get_connection("billing_site.local.mailbox.Mailbox").send_messages([mail])
    window = visit()
    page = window.to(f"{prefix}/dev/mail/")
    heading = page.frame_locator("iframe").get_by_role("heading")
    assert heading.inner_text() == "Paid"
    assert heading.evaluate("each => getComputedStyle(each).color") == "rgb(255, 0, 0)"
    assert (window.faults(), window.console, window.elsewhere) == ([], [], [])


def test_one_press_stops_the_mails_without_a_log_in(visit, alice):
    window = visit()
    address = mail_choices.stop_url(alice, MailCategory.REMINDERS)
    page = window.to(address[address.index("/mails/") :])
    assert window.faults() == []
    page.get_by_role("button", name="Stop these emails").click()
    page.get_by_text("You get no more emails of this kind").wait_for()
    alice.refresh_from_db()
    assert alice.mails_off == ["reminders"]
    assert (window.faults(), window.console) == ([], [])

"""Mails through web, broker and worker: no page waits for its mail, and a receipt follows a payment."""

from email import message_from_bytes, policy

import pytest
import requests

from billing_site.celery import app
from events import tasks
from events.models import Mail
from payments import checkout, confirmation
from payments.gateways.sandbox import sessions
from payments.gateways.sandbox.models import SandboxSession
from payments.gateways.sandbox.outcomes import ON_THE_PAGE
from tests.flows.site import Site, wait_for
from tests.subscriptions.bank import NOON, at

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]


def kept(site: Site) -> list[str]:
    """Return the subjects of the mails that were sent, the oldest first."""
    files = sorted((site.place / "mail").glob("*.eml"))
    return [str(message_from_bytes(file.read_bytes(), policy=policy.default)["Subject"]) for file in files]


def test_a_reset_mail_waits_for_a_worker_and_the_page_does_not(site, alice):
    site.start_web()
    browser = requests.Session()
    url = f"{site.url}/password/reset/"
    browser.get(url, timeout=30)
    form = {"email": alice.email, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    sent = browser.post(url, data=form, headers={"Referer": url}, timeout=30, allow_redirects=False)
    assert (sent.status_code, sent.headers["Location"]) == (302, "/password/reset/done/")
    assert Mail.objects.get().state == "waiting"
    assert kept(site) == []
    site.start_worker()
    wait_for(lambda: kept(site), "the mail")
    assert kept(site) == ["Set a new password"]


def test_a_payment_is_followed_by_a_receipt(site, alice):
    payment = checkout.start(alice, now=NOON, amount=500_00, currency="RUB", gateway="sandbox")
    assert payment.gateway_id is not None
    choice = ON_THE_PAGE["succeeds"]
    sessions.choose(payment.gateway_id, choice, expected=SandboxSession.Status.OPEN, now=at(minutes=1))
    confirmation.confirm(payment.pk, now=at(minutes=1))
    site.start_worker()
    for name in (tasks.collect_mails.name, tasks.deliver_mails.name):
        app.send_task(name)
    wait_for(lambda: kept(site), "the receipt")
    assert kept(site) == ["Receipt: ₽500.00, Top-up"]

"""An address at which mails bounce gets no more, as the provider reports it to a webhook."""

import base64

import pytest
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from django.test import Client

from events.mails import bounces
from events.models import UnreachableAddress
from tests.events.mails.sample import NOON

pytestmark = pytest.mark.django_db
SECRET = "provider:a-long-secret"


def report(kind: str, reason: str | None = None) -> None:
    event = AnymailTrackingEvent(
        event_type=kind, recipient="Alice@Example.com", reject_reason=reason, timestamp=NOON,
        description="550 no\nsuch user", event_id="1",
    )  # fmt: skip
    bounces.receive(None, event=event, esp_name="Test")


@pytest.mark.parametrize(
    ("kind", "reason", "is_marked"),
    [
        (EventType.BOUNCED, RejectReason.BOUNCED, True),
        (EventType.COMPLAINED, RejectReason.SPAM, True),
        (EventType.REJECTED, RejectReason.INVALID, True),
        (EventType.REJECTED, RejectReason.OTHER, False),
        (EventType.DEFERRED, None, False),
        (EventType.DELIVERED, None, False),
    ],
)
def test_only_what_is_final_marks_an_address(kind, reason, is_marked):
    for _ in range(2):
        report(kind, reason)
    found = list(UnreachableAddress.objects.values_list("address", "reason", "bounced_at"))
    assert found == ([("alice@example.com", f"{kind}: 550 no such user", NOON)] if is_marked else [])


@pytest.mark.parametrize("address", ["a" * 250 + "@example.com", "alice\0@example.com", "alice\ud800@example.com"])
def test_what_is_no_address_of_ours_is_ignored(address):
    bounces.mark(address, "bounced", now=NOON)
    assert not UnreachableAddress.objects.exists()


def test_any_reason_can_be_stored():
    bounces.mark("alice@example.com", "5\0\ud80050 " + "no " * 300, now=NOON)
    assert UnreachableAddress.objects.get().reason == ("550 " + "no " * 300)[:300]


@pytest.mark.urls("tests.events.mails.provider_urls")
def test_a_provider_reports_a_bounce_with_its_secret(settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    tracking.connect(bounces.receive, dispatch_uid="test")
    body = {"RecordType": "Bounce", "Type": "HardBounce", "ID": 42, "Email": "alice@example.com", "Description": "gone",
            "BouncedAt": "2026-03-01T12:00:00Z", "MessageID": "m1"}  # fmt: skip
    address, kind = "/webhooks/mail/postmark/tracking/", "application/json"
    try:
        assert Client().post(address, body, kind).status_code == 400
        assert not UnreachableAddress.objects.exists()
        login = "Basic " + base64.b64encode(SECRET.encode()).decode()
        assert Client().post(address, body, kind, headers={"authorization": login}).status_code == 200
    finally:
        tracking.disconnect(dispatch_uid="test")
    assert UnreachableAddress.objects.get().address == "alice@example.com"

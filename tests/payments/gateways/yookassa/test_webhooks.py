import json

import pytest

from billing_site.local.fakes.faults import Fault
from payments.gateways.base import Subject
from payments.gateways.errors import BadWebhook
from payments.gateways.sessions import State
from payments.gateways.yookassa.gateway import YooKassa

SENDER = "185.71.76.5"
PAYMENT_ID = "2c5d84fa-000f-5000-8000-1b2c3d4e5f60"


def notification(event="payment.succeeded", object_id=PAYMENT_ID, status="succeeded", **more):
    content = {"id": object_id, "status": status, "amount": {"value": "1.00", "currency": "RUB"}}
    return json.dumps({"type": "notification", "event": event, "object": content, **more}).encode()


def parse(body=None, *, address=SENDER, headers=None):
    return YooKassa().parse_webhook(notification() if body is None else body, headers or {}, address=address)


def test_a_notification_names_its_object_and_nothing_else_of_it_is_kept():
    parsed = parse()
    assert (parsed.subject, parsed.gateway_id, parsed.type) == (Subject.PAYMENT, PAYMENT_ID, "payment.succeeded")
    assert parsed.payload == {"event": "payment.succeeded", "object": {"id": PAYMENT_ID, "status": "succeeded"}}


@pytest.mark.parametrize(
    ("event", "subject"),
    [
        ("payment.waiting_for_capture", Subject.PAYMENT),
        ("payment.canceled", Subject.PAYMENT),
        ("refund.succeeded", Subject.REFUND),
        ("payment_method.active", Subject.METHOD),
        ("payment.something_new", Subject.PAYMENT),
        ("payout.succeeded", None),
        ("deal.closed", None),
    ],
)
def test_every_event_has_its_subject(event, subject):
    assert parse(notification(event)).subject is subject


def test_the_same_change_of_the_same_object_is_one_event():
    first = parse().event_id
    assert parse(notification(extra="a field that was not there before")).event_id == first
    others = [notification("payment.canceled"), notification(object_id="other"), notification(status="canceled")]
    assert len({first, *(parse(each).event_id for each in others)}) == 4
    assert len(parse(notification(object_id="x" * 50, status="s" * 30)).event_id) <= 120


@pytest.mark.parametrize(
    "address",
    [
        "185.71.76.0", "185.71.76.31", "185.71.77.31", "77.75.153.127", "77.75.154.128", "77.75.156.11", "77.75.156.35",
        "2a02:5180:0:1509::1", "::ffff:185.71.76.5",
    ],
)  # fmt: skip
def test_the_published_networks_are_accepted(address):
    assert parse(address=address).gateway_id == PAYMENT_ID


@pytest.mark.parametrize(
    "address",
    [
        "185.71.76.32", "185.71.75.255", "77.75.153.128", "77.75.154.127", "77.75.156.12", "2a02:5181::1", "127.0.0.1",
        "0.0.0.0", "::1", "", "unknown", "185.71.76.5:443", "[2a02:5180::1]:443", "185.71.76.5, 10.0.0.1", "185.71.76",
        "185.71.76.5/27", "185.71.076.005", "185.71.76.5\x00", " 185.71.76.5", "١٨٥.71.76.5", "::ffff:127.0.0.1",
    ],
)  # fmt: skip
def test_any_other_address_is_refused(address):
    with pytest.raises(BadWebhook):
        parse(address=address)


def test_headers_do_not_make_an_address_trusted():
    forged = {"x-forwarded-for": SENDER, "x-real-ip": SENDER, "forwarded": f"for={SENDER}", "cf-connecting-ip": SENDER}
    with pytest.raises(BadWebhook):
        parse(address="203.0.113.9", headers=forged)


def test_the_networks_can_be_set(settings):
    settings.YOOKASSA_NETWORKS = ["127.0.0.1", " 10.1.0.0/16"]
    assert parse(address="127.0.0.1").gateway_id == parse(address="10.1.2.3").gateway_id == PAYMENT_ID
    with pytest.raises(BadWebhook):
        parse(address=SENDER)


def test_a_network_that_is_none_lets_nobody_in(settings):
    settings.YOOKASSA_NETWORKS = ["185.71.76.0/27", "yookassa.ru"]
    with pytest.raises(BadWebhook):
        parse()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"7", b"\xff\xfe", b"{" * 100_000, b"[" * 100_000, b'{"event": "payment.succeeded"}',
        notification(event=None), notification(event=7), notification(event="succeeded"), notification(event="a.b.c"),
        notification(event="Payment.Succeeded"), notification(event="payment.succeeded\n"), notification(type="other"),
        notification(object_id=None), notification(object_id=""), notification(object_id="../refunds"),
        notification(object_id="x" * 51), notification(object_id="\x00"), notification(object_id="\ud800"),
        notification(object_id=["a"]), notification(status=None), notification(status={"a": 1}),
        notification(status="S" * 10), notification(object=None), notification(object=[1]),
        notification().replace(b'"type": "notification", ', b""),
    ],
)  # fmt: skip
def test_a_body_that_is_no_notification_is_refused(body):
    with pytest.raises(BadWebhook):
        parse(body)


def test_it_declares_that_webhooks_are_not_signed():
    assert not YooKassa().can.signs_webhooks


def test_what_a_notification_claims_is_never_the_truth(gateway, fake, wanted):
    """It says succeeded, and the payment that is fetched is still open."""
    session = gateway.create_session(wanted())
    claimed = parse(notification(object_id=session.gateway_id))
    assert gateway.fetch(claimed.gateway_id).state is State.OPEN


def test_the_fakes_notifications_are_read_late_twice_and_in_any_order(gateway, fake, wanted, refund_of):
    fake.webhooks.hold()
    session = gateway.create_session(wanted())
    fake.pay(session.gateway_id)
    gateway.refund(refund_of(gateway_id=session.gateway_id))
    fake.webhooks.release(order="reversed", copies=2)
    sent = [parse(each.body) for each in fake.webhooks.deliveries][-4:]
    assert [each.type for each in sent] == ["refund.succeeded"] * 2 + ["payment.succeeded"] * 2
    assert len({each.event_id for each in sent}) == 2
    assert gateway.fetch_refund(sent[0].gateway_id).payment == sent[2].gateway_id == session.gateway_id


def test_a_lost_notification_loses_no_payment(gateway, fake, wanted):
    fake.webhooks.hold()
    session = gateway.create_session(wanted())
    fake.pay(session.gateway_id)
    fake.webhooks.release(drop=True)
    fake.fault(Fault.ERROR_BEFORE)
    assert fake.webhooks.deliveries == []
    fake.clear_faults()
    assert gateway.fetch(session.gateway_id).state is State.SUCCEEDED

"""Which webhooks are taken, which are refused, and what they are about."""

import json
import time

import pytest

from billing_site.local.fakes.stripe.api import signature
from payments.gateways.base import Subject
from payments.gateways.errors import BadWebhook, ForeignWebhook

SECRET, OLD = "whsec_" + "new" * 10, "whsec_" + "old" * 10
ADDRESS = "203.0.113.7"


def event(kind="checkout.session.completed", name="checkout.session", target="cs_test_1", **changes):
    about = {"id": target, "object": name}
    return {"id": "evt_1", "object": "event", "type": kind, "livemode": False, "data": {"object": about}} | changes


def body_of(content):
    return json.dumps(content).encode()


@pytest.fixture
def parse(gateway, settings):
    settings.STRIPE_WEBHOOK_SECRET = SECRET

    def call(body, *, secret=SECRET, at=None, header=None):
        at = int(time.time()) if at is None else at
        header = signature(body, secret, at=at) if header is None else header
        return gateway.parse_webhook(body, {"stripe-signature": header}, address=ADDRESS)

    return call


class TestWhatItIsAbout:
    @pytest.mark.parametrize(
        ("kind", "name", "target", "subject"),
        [
            ("checkout.session.completed", "checkout.session", "cs_test_1", Subject.PAYMENT),
            ("checkout.session.expired", "checkout.session", "cs_test_1", Subject.PAYMENT),
            ("checkout.session.async_payment_succeeded", "checkout.session", "cs_test_1", Subject.PAYMENT),
            ("checkout.session.async_payment_failed", "checkout.session", "cs_test_1", Subject.PAYMENT),
            ("refund.created", "refund", "re_1", Subject.REFUND),
            ("refund.failed", "refund", "re_1", Subject.REFUND),
            ("charge.refund.updated", "refund", "re_1", Subject.REFUND),
            ("charge.dispute.created", "dispute", "du_1", Subject.DISPUTE),
            ("charge.dispute.funds_withdrawn", "dispute", "du_1", Subject.DISPUTE),
            ("charge.dispute.updated", "dispute", "du_1", Subject.DISPUTE),
            ("charge.dispute.closed", "dispute", "du_1", Subject.DISPUTE),
            ("charge.dispute.funds_reinstated", "dispute", "du_1", Subject.DISPUTE),
            ("payment_method.detached", "payment_method", "pm_1", Subject.METHOD),
            ("payout.paid", "payout", "po_1", Subject.PAYOUT),
        ],
    )
    def test_it_names_its_object(self, parse, kind, name, target, subject):
        notification = parse(body_of(event(kind, name, target)))
        assert (notification.event_id, notification.type) == ("evt_1", kind)
        assert (notification.subject, notification.gateway_id) == (subject, target)
        assert notification.payload["data"]["object"]["id"] == target

    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            ("payment_intent.succeeded", "payment_intent"),
            ("charge.refunded", "charge"),
            ("customer.created", "customer"),
            ("brand.new", "brand"),
            ("checkout.session.completed", "brand"),
            ("brand.new", "refund"),
        ],
    )
    def test_other_types_are_stored_and_ignored(self, parse, kind, name):
        notification = parse(body_of(event(kind, name)))
        assert (notification.subject, notification.gateway_id) == (None, "")


class TestRefused:
    def test_forged(self, parse):
        with pytest.raises(BadWebhook):
            parse(body_of(event()), secret="whsec_" + "bad" * 10)

    def test_signed_over_the_same_json_written_differently(self, parse):
        header = signature(json.dumps(event(), separators=(",", ":")).encode(), SECRET, at=int(time.time()))
        with pytest.raises(BadWebhook):
            parse(body_of(event()), header=header)

    @pytest.mark.parametrize("seconds", [-86400, -310, 310, 86400])
    def test_stale_or_from_the_future(self, parse, seconds):
        with pytest.raises(BadWebhook):
            parse(body_of(event()), at=int(time.time()) + seconds)

    @pytest.mark.parametrize("seconds", [-290, 0, 290])
    def test_a_clock_that_is_a_little_off_is_forgiven(self, parse, seconds):
        assert parse(body_of(event()), at=int(time.time()) + seconds).subject is Subject.PAYMENT

    def test_a_timestamp_that_was_not_signed(self, parse):
        old = signature(body_of(event()), SECRET, at=int(time.time()) - 86400)
        digest = old.partition(",")[2]
        with pytest.raises(BadWebhook):
            parse(body_of(event()), header=f"t={int(time.time())},{digest}")

    def test_two_timestamps(self, parse):
        """The one that was signed decides, and that is the stale one."""
        old = signature(body_of(event()), SECRET, at=int(time.time()) - 86400)
        for header in (f"t={int(time.time())},{old}", f"{old},t={int(time.time())}"):
            with pytest.raises(BadWebhook):
                parse(body_of(event()), header=header)

    def test_only_scheme_v1_counts(self, parse):
        good = signature(body_of(event()), SECRET, at=int(time.time()))
        with pytest.raises(BadWebhook):
            parse(body_of(event()), header=good.replace("v1=", "v0="))

    def test_one_of_many_signatures_is_enough(self, parse):
        good = signature(body_of(event()), SECRET, at=int(time.time()))
        stamp, digest = good.split(",")
        assert parse(body_of(event()), header=f"{stamp},v0=00,v1={'0' * 64},{digest}").event_id == "evt_1"

    @pytest.mark.parametrize(
        "header", ["", "t=", "t=x,v1=y", "v1=00", "t=1,t=2", ",,,", "t=1,v1", "t=1,v1=\xe9", "т=1,v1=ü", "=" * 5000]
    )
    def test_garbage_in_the_header(self, parse, header):
        with pytest.raises(BadWebhook):
            parse(body_of(event()), header=header)

    @pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}])
    def test_unsigned(self, gateway, headers):
        with pytest.raises(BadWebhook):
            gateway.parse_webhook(b"{}", headers, address=ADDRESS)

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"null", b"[]", b"1", b'"x"', b"{}", b"{", b"\xff\xfe", b'{"id": 1}', b"[" * 20000, b"{\"a\":" * 20000,
            body_of(event(id=None)), body_of(event(type=7)), body_of(event(data=None)), body_of(event(data={})),
            body_of(event(data={"object": "x"})), body_of(event(data={"object": None})),
            body_of({"object": "v2.core.event", "id": "evt_1", "type": "v1.x", "livemode": False}),
            body_of(event(id="")),
        ],
    )  # fmt: skip
    def test_garbage_that_is_signed(self, parse, body):
        header = f"t={int(time.time())},v1={signature(body, SECRET, at=int(time.time())).partition('v1=')[2]}"
        with pytest.raises(BadWebhook):
            parse(body, header=header)

    def test_a_blank_secret_takes_nothing(self, parse, settings):
        for blank in ("", "   "):
            settings.STRIPE_WEBHOOK_SECRET = blank
            with pytest.raises(BadWebhook):
                parse(body_of(event()), secret="")


class TestForeign:
    @pytest.mark.parametrize("key", ["sk_test_" + "k" * 20, "rk_test_" + "k" * 20])
    def test_a_live_event_beside_a_test_key(self, parse, settings, key):
        settings.STRIPE_SECRET_KEY = key
        with pytest.raises(ForeignWebhook):
            parse(body_of(event(livemode=True)))

    @pytest.mark.parametrize("key", ["sk_live_" + "k" * 20, "rk_live_" + "k" * 20])
    def test_a_test_event_beside_a_live_key(self, parse, settings, key):
        settings.STRIPE_SECRET_KEY = key
        with pytest.raises(ForeignWebhook):
            parse(body_of(event()))
        assert parse(body_of(event(livemode=True))).subject is Subject.PAYMENT

    def test_an_event_of_a_connected_account(self, parse):
        with pytest.raises(ForeignWebhook):
            parse(body_of(event(account="acct_1other")))

    @pytest.mark.parametrize("livemode", [None, "false", 0])
    def test_no_clear_mode(self, parse, livemode):
        with pytest.raises(BadWebhook):
            parse(body_of(event(livemode=livemode)))


def test_both_secrets_are_good_while_one_replaces_the_other(parse, settings):
    settings.STRIPE_WEBHOOK_SECRET = f"{SECRET} {OLD}"
    for secret in (SECRET, OLD):
        assert parse(body_of(event()), secret=secret).event_id == "evt_1"
    settings.STRIPE_WEBHOOK_SECRET = SECRET
    with pytest.raises(BadWebhook):
        parse(body_of(event()), secret=OLD)


def test_the_fakes_webhooks_are_taken(fake, gateway, make, settings):
    session = gateway.create_session(make())
    fake.account.pay(session.gateway_id)
    taken = [
        gateway.parse_webhook(
            each.body, {"stripe-signature": fake.sign(each.body)["Stripe-Signature"]}, address=ADDRESS
        )
        for each in fake.webhooks.deliveries
    ]
    assert [each.type for each in taken if each.subject] == ["checkout.session.completed"]
    assert taken[-1].gateway_id == session.gateway_id

"""Ten thousand calls to gateways whose outcome nobody told us: in the end the gateway's money equals ours.

Real gateway classes speak with the fakes; seven of ten calls fail while customers pay and get refunds (C12 to C16, D7).
The sandbox has no network: its calls get lost on the way to its tables.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any, cast

import pytest
import requests
import structlog
import time_machine

from payments import comparison
from payments.gateways import guard
from payments.gateways.stripe import client as stripe_client
from payments.gateways.yookassa import client as yookassa_client
from tests.faults import audit
from tests.faults.sandbox import Silence, StormyVisitor
from tests.faults.storm import MINUTE, Storm
from tests.faults.transport import Transport
from tests.ledger import snapshot
from tests.payments.gateways.visitors import visitor as visitors
from tests.subscriptions.bank import people

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

REMOTE = [(gateway, seed) for seed in range(1, 5) for gateway in ("stripe", "yookassa")]
CASES = [*REMOTE, *(("sandbox", seed) for seed in range(1, 5))]
# All cases of the remote gateways together have at least so many calls with an unknown outcome; the sandbox's come on
# top, as many in each case.
AMBIGUOUS = 10_000
SHARE = AMBIGUOUS // len(REMOTE)
CUSTOMERS = 8
# How many calls that takes differs from run to run. One of Stripe's payments takes more calls than another one.
ORDERS = {"stripe": 20, "yookassa": 20, "sandbox": 36}


@pytest.fixture(params=CASES, ids=[f"{gateway}-{seed}" for gateway, seed in CASES])
def storm(request: pytest.FixtureRequest, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storm]:
    """A storm at one gateway that has not begun. The breaker is off: it would spare the calls that are to fail."""
    gateway, seed = request.param
    settings.PAYMENT_GATEWAYS = [gateway]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    monkeypatch.setattr(guard, "LIMIT", 10**9)
    begins = datetime.now(UTC)
    if gateway == "sandbox":
        silence = Silence(Random(seed))
        with silence.around_the_sandbox(), time_machine.travel(begins, tick=False) as clock:
            yield Storm(gateway, StormyVisitor(Random(-seed)), silence, clock, begins=begins)
        return
    with visitors.visit(gateway, settings) as visitor, time_machine.travel(begins, tick=False) as clock:
        fake = cast(Any, visitor).fake
        transport = Transport(fake, Random(seed))
        session = requests.Session()
        session.trust_env = False
        session.mount(fake.url, transport)
        monkeypatch.setattr(stripe_client._connections, "session", session, raising=False)
        monkeypatch.setattr(yookassa_client._threads, "session", session, raising=False)
        yield Storm(gateway, visitor, transport, clock, begins=begins)


def test_after_ten_thousand_lost_answers_the_gateways_money_equals_ours(storm: Storm) -> None:
    storm.add_orders(people(CUSTOMERS), ORDERS[storm.gateway])
    with structlog.testing.capture_logs() as logs:
        storm.run()
    assert storm.ambiguous >= SHARE, storm.transport.failed
    assert storm.transport.in_transaction == 0
    assert [line for line in logs if line["event"] in ("swept_row_failed", "gateway_call_raised")] == []
    theirs = storm.records.books()
    audit.assert_nothing_is_open()
    audit.assert_pages_are_sold_once(theirs)
    audit.assert_refunds_happened_once(theirs)
    audit.assert_money_is_equal(storm.gateway, theirs)
    assert snapshot.found() == {}
    # The daily comparison with the gateway's own list leaves nothing to staff, and moves no money. It may give an ended
    # payment the id of its page, if nobody ever told us that.
    [result] = comparison.compare_all(now=storm.now + MINUTE, only=storm.gateway, full=True)
    assert (result.report.is_complete, result.left) == (True, [])
    audit.assert_money_is_equal(storm.gateway, theirs)

"""The page of a bank transfer, in both languages, light and dark, on a phone and a desktop."""

import json
from datetime import UTC, date, datetime

import pytest

from payments.gateways.manual import receipts
from payments.gateways.manual.gateway import Manual
from payments.gateways.manual.models import ManualTransfer
from tests.payments.gateways.requests import session_request

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ACCOUNT = {
    "beneficiary": "ООО «Очень длинное название получателя платежа»",
    "tax_id": "7707083893",
    "account": "40702810900000000001",
    "bank": "ПАО Сбербанк",
    "bank_code": "044525225",
    "correspondent_account": "30101810400000000225",
    "note": "Cash: Main street 1, Monday to Friday, 10:00 to 18:00",
}


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_it_is_accessible_and_fits_the_screen_in_every_state(visit, staff, settings, prefix):
    settings.MANUAL_DETAILS = json.dumps(ACCOUNT)
    window, gateway, faults = visit(), Manual(), []
    session = gateway.create_session(session_request())
    transfer = ManualTransfer.objects.get(transfer_id=session.gateway_id)
    address = f"{prefix}/transfer/{transfer.transfer_id}/"
    window.to(address)
    faults += window.faults()
    for amount, reference in ((1000_00, "B-1"), (342_00, "B-2")):
        now = datetime.now(UTC)
        receipts.record(
            transfer, amount=amount, received_on=date(2026, 11, 2), bank_reference=reference, by=staff, now=now
        )
        window.to(address)
        faults += window.faults()
    cancelled = gateway.create_session(session_request())
    gateway.cancel(cancelled.gateway_id)
    window.to(f"{prefix}/transfer/{cancelled.gateway_id}/", expect=410)
    faults += window.faults()
    assert faults == []
    assert [each for each in window.console if "410" not in each] == []
    assert window.elsewhere == []

from datetime import UTC, datetime

import pytest

from payments.gateways.manual import references, refunds, transfers
from tests.payments.gateways.requests import refund_request


@pytest.fixture
def admin(client, superuser):
    client.force_login(superuser)
    return client


def test_staff_find_a_transfer_by_its_reference_number_and_its_bank_reference(admin, transfer, record):
    record()
    for text in (references.written(transfer.reference), transfer.reference, "b-1", transfer.transfer_id):
        html = admin.get("/admin/manual/manualtransfer/", {"q": text}).content.decode()
        assert references.written(transfer.reference) in html, text
        assert "1,342.00" in html
    assert transfer.transfer_id not in admin.get("/admin/manual/manualtransfer/", {"q": "nothing"}).content.decode()


def test_staff_see_receipts_and_refunds(admin, gateway, session, record):
    receipt = record()
    refund = gateway.refund(refund_request(session.gateway_id))
    for path, text in (
        ("manualreceipt/", "B-1"),
        (f"manualreceipt/{receipt.pk}/change/", "B-1"),
        ("manualrefund/", refund.gateway_id),
        (f"manualtransfer/{receipt.transfer_id}/change/", "cus_1"),
    ):
        answer = admin.get(f"/admin/manual/{path}")
        assert answer.status_code == 200
        assert text in answer.content.decode()


def test_nothing_is_changed_there(admin, transfer):
    assert admin.get("/admin/manual/manualtransfer/add/").status_code == 403
    assert admin.post(f"/admin/manual/manualtransfer/{transfer.pk}/delete/", {"post": "yes"}).status_code == 403
    now = datetime.now(UTC)
    assert transfers.state_at(transfer, now) == "open"
    assert refunds.find("none") is None

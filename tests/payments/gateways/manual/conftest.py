"""Fixtures of the tests of bank transfers: an account for roubles, a transfer, and a member of staff who records."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from accounts.models import User
from payments.gateways.manual import receipts
from payments.gateways.manual.gateway import Manual
from payments.gateways.manual.models import ManualReceipt, ManualTransfer
from payments.gateways.sessions import Session
from tests.payments.gateways.requests import session_request

ACCOUNT = {"beneficiary": "ООО «Акме»", "account": "40702810900000000001", "bank_code": "044525225"}


@pytest.fixture
def gateway(db: None, settings: Any) -> Manual:
    settings.MANUAL_DETAILS = json.dumps({"RUB": ACCOUNT, "JPY": ACCOUNT})
    settings.MANUAL_CURRENCIES = ["RUB", "JPY"]
    return Manual()


@pytest.fixture
def session(gateway: Manual) -> Session:
    """The page of a transfer of 1342.00 roubles."""
    return gateway.create_session(session_request())


@pytest.fixture
def transfer(session: Session) -> ManualTransfer:
    return ManualTransfer.objects.get(transfer_id=session.gateway_id)


@pytest.fixture
def record(transfer: ManualTransfer, staff: User) -> Callable[..., ManualReceipt]:
    """Return a function that records the whole sum, under the bank reference B-1."""

    def record(amount: int = 1342_00, bank_reference: str = "B-1", **changes: Any) -> ManualReceipt:
        now = datetime.now(UTC)
        defaults: dict[str, Any] = {"received_on": date(2026, 11, 2), "by": staff, "now": now}
        return receipts.record(transfer, amount=amount, bank_reference=bank_reference, **defaults | changes)

    return record

"""The seller's bank account: a payout brings the gateway's clearing account back to zero."""

import pytest

import ledger
from ledger.models import Account
from tests.ledger.conftest import CLEARING, balance_of, entry
from tests.ledger.snapshot import found

pytestmark = pytest.mark.django_db


def test_after_fee_and_payout_nothing_is_left_in_clearing(wallet):
    # 100.00 paid, of which the gateway keeps 2.90 and sends 97.10.
    ledger.post([entry("in", CLEARING, wallet, 100_00)])
    ledger.post([entry("fee", "gateway_fees", CLEARING, 2_90, reason="fee")])
    ledger.post([entry("payout", "bank", CLEARING, 97_10, reason="payout")])
    assert (balance_of(CLEARING), balance_of("gateway_fees"), balance_of("bank")) == (0, -2_90, -97_10)
    # The books balance; only the payout's own row, which belongs to payments, is missing.
    assert found() == {"payouts_are_posted_once": 1}


def test_the_bank_account_holds_no_balance_of_its_own():
    ledger.post([entry("payout", "bank", CLEARING, 1, reason="payout")])
    assert Account.objects.get(code="bank").balance is None

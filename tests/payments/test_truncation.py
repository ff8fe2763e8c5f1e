"""Words of gateways are made to fit our columns; addresses are taken whole or not at all."""

import pytest

from payments import truncation
from payments.models import Payment

PAGE = "https://checkout.stripe.com/c/pay/cs_test_1#"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("", ""), ("card_declined", "card_declined"), ("x" * 61, "x" * 60), ("no\0pe", "nope"), ("a\ud800b", "ab")],
)
def test_a_code_is_cut_to_its_column(sent, kept):
    assert truncation.cut(Payment, "failure_code", sent) == kept


def test_a_column_without_a_limit_cuts_nothing():
    assert truncation.cut(Payment, "confirmation_url", "x" * 9000) == "x" * 9000


@pytest.mark.parametrize("url", [PAGE, PAGE + "f" * 5000, "http://127.0.0.1:8000/sandbox/pay/sbx_1/", ""])
def test_an_address_is_kept_whole(url):
    assert truncation.page_address(url) == url


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//stripe.com/x", "http://[", PAGE + "f" * 8000])
def test_an_address_to_which_no_browser_can_be_sent_is_not_kept(url):
    assert truncation.page_address(url) == ""

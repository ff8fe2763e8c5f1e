"""The limits of one payment are one rule: what is asked for a subscription is what the gateways take."""

from typing import Any

import pytest

from payments import amounts
from subscriptions import dues
from tests.payments import faulty_gateway


@pytest.fixture
def euros(settings: Any) -> None:
    """Only a gateway that takes from 1.00 to 500.00 euros is offered."""
    settings.GATEWAY_CLASSES = {"euros": faulty_gateway.EUROS}
    settings.PAYMENT_GATEWAYS = ["euros"]


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [({}, (1_00, 500_00)), ({"EUR": (5_00, 10_000_00)}, (5_00, 500_00)), ({"EUR": (50, 100_00)}, (1_00, 100_00))],
)
def test_the_settings_narrow_what_the_gateways_take(
    euros: None, settings: Any, narrowed: dict[str, tuple[int, int]], expected: tuple[int, int]
) -> None:
    settings.TOP_UP_LIMITS = narrowed
    assert amounts.limits("EUR") == amounts.top_up_limits("EUR") == expected
    assert dues.payable(30, "EUR") == expected[0]
    assert dues.payable(700, "EUR") == 7_00


def test_a_currency_that_no_gateway_takes_has_no_limits(euros: None, settings: Any) -> None:
    settings.TOP_UP_LIMITS = {"RUB": (100_00, 1_000_000_00)}
    assert amounts.limits("RUB") is None
    assert dues.payable(30, "RUB") == 30

"""The limits of one payment are one rule: what is asked for a subscription is what the gateways take."""

from typing import Any

import pytest

from accounts.models import User
from ledger.money import Money
from payments import amounts
from payments.gateways import registry
from subscriptions import dues
from tests.payments import faulty_gateway
from tests.payments.checkouts import start
from tests.subscriptions.shop import sell


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


class TestSteps:
    """A gateway that takes dinars in steps of 0.010, as Stripe does."""

    @pytest.fixture(autouse=True)
    def _dinars(self, settings: Any) -> None:
        settings.GATEWAY_CLASSES = settings.GATEWAY_CLASSES | {"dinars": faulty_gateway.DINARS}
        settings.PAYMENT_GATEWAYS = ["dinars"]

    @pytest.mark.parametrize(("amount", "asked"), [(1, 10), (10, 10), (1_234, 1_240), (1_240, 1_240)])
    def test_what_is_asked_is_raised_to_a_step(self, amount: int, asked: int) -> None:
        assert dues.payable(amount, "KWD") == asked

    @pytest.mark.django_db
    def test_a_price_between_two_steps_can_be_paid(self, alice: User) -> None:
        sell("dear", KWD=1_234)
        payment = start(alice, plan="dear", currency="KWD")
        # The rest of 0.006 stays on the balance.
        assert (payment.status, payment.amount, payment.order_amount) == ("pending", 1_240, 1_234)

    @pytest.mark.django_db
    @pytest.mark.parametrize("gateway", [None, "dinars"])
    def test_a_top_up_between_two_steps_is_refused_with_the_step(self, alice: User, gateway: str | None) -> None:
        with pytest.raises(amounts.AmountOutOfRange) as caught:
            amounts.for_top_up(1_234, "KWD", gateway)
        said = "A top-up must be a multiple of 0.010 KWD. You sent 1.234 KWD."
        assert (caught.value.detail, caught.value.param) == (said, "amount")
        assert amounts.for_top_up(1_240, "KWD", gateway).money == Money(1_240, "KWD")

    def test_a_gateway_without_steps_takes_any_amount(self, settings: Any) -> None:
        settings.PAYMENT_GATEWAYS = ["dinars", "sandbox"]
        if "KWD" not in registry.currencies("sandbox"):
            pytest.fail("The sandbox must take dinars for this test.")
        assert registry.names("KWD", 1_234) == ["sandbox"]
        # What the site asks for can be paid at either.
        assert dues.payable(1_234, "KWD") == 1_240

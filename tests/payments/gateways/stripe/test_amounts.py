"""Amounts in Stripe's units, and the limits."""

import pytest

from ledger.money import EXPONENTS
from payments.gateways.errors import GatewayError
from payments.gateways.sessions import State
from payments.gateways.stripe import amounts


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        (1999, "EUR", 1999),
        (500, "JPY", 500),
        # Dinars have three decimals, and the last one must be 0.
        (12340, "KWD", 12340),
        # Stripe writes kronas of Iceland with two decimals, forints as ISO 4217 does.
        (5, "ISK", 500),
        (17500, "HUF", 17500),
    ],
)
def test_amounts_are_written_as_stripe_does(amount, currency, units):
    assert amounts.to_stripe(amount, currency) == units
    assert amounts.from_stripe(units, currency.lower()) == amount


def test_a_dinar_that_cannot_be_written_is_refused_for_good():
    with pytest.raises(GatewayError) as caught:
        amounts.to_stripe(12345, "KWD")
    assert caught.value.permanent


def test_currencies_that_we_do_not_know_keep_stripes_units():
    assert [amounts.from_stripe(500, currency) for currency in ("mga", "ugx", "xof")] == [500, 500, 500]


@pytest.mark.parametrize("currency", EXPONENTS)
def test_the_limits_can_be_paid(currency):
    least, most = amounts.limits()[currency]
    assert 0 < least < most
    assert amounts.to_stripe(least, currency) >= amounts.LEAST.get(currency, 1)
    assert amounts.to_stripe(most, currency) <= 99_999_999


@pytest.mark.parametrize(
    ("currency", "least", "most"),
    [("EUR", 50, 99_999_999), ("JPY", 50, 99_999_999), ("KWD", 10, 99_999_990), ("ISK", 1, 999_999)],
)
def test_the_limits_are_in_our_units(gateway, currency, least, most):
    assert gateway.can.takes(currency, least)
    assert gateway.can.takes(currency, most)
    assert not gateway.can.takes(currency, least - 1)
    assert not gateway.can.takes(currency, most + 1)


def test_steps_are_declared_where_stripe_has_them(gateway):
    assert gateway.can.steps == {"BHD": 10, "JOD": 10, "KWD": 10, "OMR": 10, "TND": 10}
    assert gateway.can.takes("KWD", 12340)
    assert not gateway.can.takes("KWD", 12345)


@pytest.mark.parametrize("currency", EXPONENTS)
def test_every_multiple_of_a_step_can_be_written(gateway, currency):
    step = gateway.can.steps.get(currency, 1)
    for times in (1, 3, 1234):
        assert amounts.from_stripe(amounts.to_stripe(times * step, currency), currency) == times * step


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 500), ("KWD", 12340), ("ISK", 900), ("RUB", 99000)])
def test_what_is_taken_comes_back_in_our_units(fake, gateway, make, currency, amount):
    session = gateway.create_session(make(currency=currency, amount=amount))
    fake.account.pay(session.gateway_id)
    snapshot = gateway.fetch(session.gateway_id)
    assert (snapshot.state, snapshot.amount, snapshot.currency) == (State.SUCCEEDED, amount, currency)
    assert snapshot.fee_currency == currency

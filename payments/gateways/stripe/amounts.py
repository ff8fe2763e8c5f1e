"""Amounts as Stripe writes them, and the currencies and limits of a payment.

Stripe's "smallest unit" is the ISO 4217 minor unit, except in the currencies of ZERO_DECIMAL and in ISK, which it
writes with two decimals that are always 00. Source: docs.stripe.com/currencies.
"""

from collections.abc import Iterator, Mapping
from math import gcd

from ledger.money import EXPONENTS
from payments.gateways.errors import GatewayError

# UGX is missing on purpose: Stripe writes it with two decimals, as ISK. HUF and TWD are special for payouts only.
ZERO_DECIMAL = frozenset({
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
})  # fmt: skip
# Amounts are in thousandths, but the last digit must be 0.
THREE_DECIMAL = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# The least amount of a charge, in Stripe's units, where Stripe names one. Elsewhere it depends on the exchange rate.
LEAST = {
    "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30,
    "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200,
    "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
}  # fmt: skip
# Stripe takes up to eight digits.
MOST = 99_999_999


def to_stripe(amount: int, currency: str) -> int:
    """Return an amount in our minor units in Stripe's. Raises a permanent GatewayError if it cannot be written so."""
    units, rest = divmod(amount * _power(_decimals(currency)), _power(EXPONENTS[currency]))
    if rest or units % _step(currency):
        raise GatewayError(
            f"Stripe takes {currency} in steps of {_step(currency)}, not {amount}.", permanent=True, code="amount_step"
        )
    return units


def from_stripe(units: int, currency: str) -> int:
    """Return an amount in Stripe's units in our minor units. `currency` may be in lower case."""
    currency = currency.upper()
    decimals = _decimals(currency)
    return units * _power(EXPONENTS.get(currency, decimals)) // _power(decimals)


def limits() -> Mapping[str, tuple[int, int]]:
    """Return the least and the most of a payment by currency, in our minor units."""
    return _Limits()


class _Limits(Mapping[str, tuple[int, int]]):
    """The limits by currency, calculated when asked for: most callers want one of them."""

    def __getitem__(self, currency: str) -> tuple[int, int]:
        if currency not in EXPONENTS:
            raise KeyError(currency)
        step = _step(currency)
        return from_stripe(max(LEAST.get(currency, 1), step), currency), from_stripe(MOST - MOST % step, currency)

    def __iter__(self) -> Iterator[str]:
        return iter(EXPONENTS)

    def __len__(self) -> int:
        return len(EXPONENTS)


def _decimals(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def _power(exponent: int) -> int:
    return int(10**exponent)


def _step(currency: str) -> int:
    """Return the number of Stripe's units that an amount must be a multiple of."""
    if currency in THREE_DECIMAL:
        return 10
    return 100 if currency == "ISK" else 1


def _own_step(currency: str) -> int:
    """Return the least number of our minor units whose multiples can all be written in Stripe's."""
    needed = _power(EXPONENTS[currency]) * _step(currency)
    return needed // gcd(needed, _power(_decimals(currency)))


# Of which number of our minor units an amount must be a multiple, by currency, where that is not 1.
STEPS = {currency: step for currency in EXPONENTS if (step := _own_step(currency)) > 1}

"""Convert amounts between text and minor units."""

from decimal import Decimal

DECIMALS = {"RUB": 2, "EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}


def minor(amount: str | int | Decimal, currency: str) -> int:
    units = Decimal(str(amount)) * 10 ** DECIMALS[currency]
    assert units == int(units), f"{amount} has too many decimals for {currency}"
    return int(units)


def text(units: int, currency: str) -> str:
    return f"{Decimal(units) / 10 ** DECIMALS[currency]:.{DECIMALS[currency]}f}"

"""Money: integer minor units of one currency, and the table of currencies and their decimals."""

import re
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext

# ISO 4217 exponents. Only currencies in this table are accepted.
EXPONENTS = {
    "AED": 2, "AMD": 2, "AUD": 2, "AZN": 2, "BGN": 2, "BHD": 3, "BRL": 2, "BYN": 2, "CAD": 2, "CHF": 2, "CLP": 0,
    "CNY": 2, "CZK": 2, "DKK": 2, "EUR": 2, "GBP": 2, "GEL": 2, "HKD": 2, "HUF": 2, "IDR": 2, "ILS": 2, "INR": 2,
    "ISK": 0, "JOD": 3, "JPY": 0, "KGS": 2, "KRW": 0, "KWD": 3, "KZT": 2, "MDL": 2, "MXN": 2, "MYR": 2, "NOK": 2,
    "NZD": 2, "OMR": 3, "PHP": 2, "PLN": 2, "RON": 2, "RSD": 2, "RUB": 2, "SAR": 2, "SEK": 2, "SGD": 2, "THB": 2,
    "TND": 3, "TRY": 2, "UAH": 2, "USD": 2, "UZS": 2, "VND": 0, "ZAR": 2,
}  # fmt: skip

# The largest amount, in minor units: far below the range of bigint, far above what anybody pays.
LARGEST = 10**12

_PLAIN = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)


class NotMoney(ValueError):
    """The text is not an amount in this currency, or the currency is unknown. The message says what is allowed."""


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` minor units of `currency`: Money(1999, "EUR") is 19.99 euros."""

    amount: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Parse a plain decimal such as `1342.00`; raise NotMoney for anything else, including too many decimals."""
        exponent = exponent_of(currency)
        if not _PLAIN.fullmatch(text):
            raise NotMoney(
                gettext("%s is not an amount. Use digits with a decimal point, for example 1342.00") % repr(text)
            )
        whole, _, decimals = text.partition(".")
        if len(decimals) > exponent:
            words = {"text": repr(text), "sent": len(decimals), "currency": currency, "most": exponent}
            raise NotMoney(
                gettext("%(text)s has %(sent)d decimal places. %(currency)s allows at most %(most)d") % words
            )
        amount = int(whole + decimals.ljust(exponent, "0"))
        if abs(amount) > LARGEST:
            words = {"text": repr(text), "most": cls(LARGEST, currency)}
            raise NotMoney(gettext("%(text)s is too large. The maximum is %(most)s") % words)
        return cls(amount, currency)

    def decimal(self) -> Decimal:
        """Return the exact amount in major units."""
        return Decimal(self.amount).scaleb(-exponent_of(self.currency))

    def plain(self) -> str:
        """Return the amount as the API and the command line write it: `-1342.00`."""
        exponent = exponent_of(self.currency)
        sign, digits = "-" if self.amount < 0 else "", str(abs(self.amount)).rjust(exponent + 1, "0")
        return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"

    def __str__(self) -> str:
        return f"{self.plain()} {self.currency}"


def exponent_of(currency: str) -> int:
    """Return the number of decimals of `currency`; raise NotMoney for an unknown code."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        words = {"sent": repr(currency), "known": ", ".join(EXPONENTS)}
        raise NotMoney(gettext("We do not accept %(sent)s. Use one of %(known)s") % words) from None

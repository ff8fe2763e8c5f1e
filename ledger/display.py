"""Format money and time for people, in their language. Nothing here rounds, and the texts are never parsed."""

import copy

from babel import Locale
from babel.numbers import NumberPattern, get_currency_symbol, parse_pattern

from core.dates import NO_BREAK_SPACE, day, instant, locale_of, moment
from ledger.money import Money, exponent_of

__all__ = ["day", "instant", "locale_of", "moment", "money"]

MINUS = "\u2212"

# Signs that CLDR keeps for narrow formats. Without them roubles read RUB 2,900.00 in English.
SIGNS = {
    "AMD": "֏", "AZN": "₼", "GEL": "₾", "KZT": "₸", "PHP": "₱", "RUB": "₽", "THB": "฿", "TRY": "₺", "UAH": "₴",
}  # fmt: skip

# A currency without a sign is written as its code, with a gap before the digits.
_CODE_FIRST = parse_pattern(f"¤{NO_BREAK_SPACE}#,##0.00")


def money(value: Money, *, signed: bool = False, language: str | None = None) -> str:
    """Format an amount in the reader's language: `€34.80`, `34,80 €`, `₽2,900.00`, `−€34.80`.

    With `signed`, an amount above zero gets a plus. All spaces are no-break spaces.
    """
    locale = locale_of(language)
    pattern = copy.copy(_pattern(value.currency, locale))
    pattern.frac_prec = (exponent_of(value.currency),) * 2
    sign = MINUS if value.amount < 0 else "+" if signed and value.amount > 0 else ""
    text: str = pattern.apply(abs(value.decimal()), locale, currency=value.currency, currency_digits=False)
    symbol = get_currency_symbol(value.currency, locale)
    if symbol == value.currency:
        text = text.replace(symbol, SIGNS.get(symbol, symbol))
    return sign + text.replace(" ", NO_BREAK_SPACE).replace("\u202f", NO_BREAK_SPACE)


def _pattern(currency: str, locale: Locale) -> NumberPattern:
    standard: NumberPattern = locale.currency_formats["standard"]
    has_no_sign = get_currency_symbol(currency, locale) == currency and currency not in SIGNS
    is_code_first = standard.pattern.startswith("¤") and has_no_sign
    return _CODE_FIRST if is_code_first else standard

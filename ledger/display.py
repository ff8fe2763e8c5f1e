"""Format money and time for people, in their language. Nothing here rounds, and the texts are never parsed."""

import copy
from datetime import datetime

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import NumberPattern, get_currency_symbol, parse_pattern
from django.utils import timezone
from django.utils.translation import get_language

from ledger.money import Money, exponent_of

NO_BREAK_SPACE = "\u00a0"
MINUS = "\u2212"

# Signs that CLDR keeps for narrow formats. Without them roubles read RUB 2,900.00 in English.
SIGNS = {
    "AMD": "֏", "AZN": "₼", "GEL": "₾", "KZT": "₸", "PHP": "₱", "RUB": "₽", "THB": "฿", "TRY": "₺", "UAH": "₴",
}  # fmt: skip

LONG_DAY = {"ru": f"d MMMM y{NO_BREAK_SPACE}'г.'"}

# A currency without a sign is written as its code, with a gap before the digits.
_CODE_FIRST = parse_pattern(f"¤{NO_BREAK_SPACE}#,##0.00")


def locale_of(language: str | None = None) -> Locale:
    """Return the CLDR locale of `language`, by default the active one."""
    return Locale.parse((language or get_language() or "en").split("-")[0])


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


def day(at: datetime, *, language: str | None = None) -> str:
    """Format a date with the month as a word: `21 November 2026`, `21 ноября 2026 г.`.

    The Russian form brings its own full stop: a Russian sentence that ends in a date takes no other one.
    """
    locale = locale_of(language)
    return format_date(timezone.localtime(at), LONG_DAY.get(locale.language, "d MMMM y"), locale=locale)


def moment(at: datetime, *, language: str | None = None) -> str:
    """Format a date and time with its zone: `21 November 2026, 14:02 UTC`."""
    return _with_time(at, "HH:mm", language)


def instant(at: datetime, *, language: str | None = None) -> str:
    """Format a date and time to the second: `21 November 2026, 14:02:37 UTC`."""
    return _with_time(at, "HH:mm:ss", language)


def _with_time(at: datetime, time_format: str, language: str | None) -> str:
    local = timezone.localtime(at)
    time = format_datetime(local, time_format, tzinfo=local.tzinfo, locale=locale_of(language))
    return f"{day(at, language=language)}, {time}{NO_BREAK_SPACE}{local.tzname()}"


def _pattern(currency: str, locale: Locale) -> NumberPattern:
    standard: NumberPattern = locale.currency_formats["standard"]
    has_no_sign = get_currency_symbol(currency, locale) == currency and currency not in SIGNS
    is_code_first = standard.pattern.startswith("¤") and has_no_sign
    return _CODE_FIRST if is_code_first else standard

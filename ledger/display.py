"""Money and time as people read them, in their language. Nothing here rounds; nothing here is parsed back."""

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

# CLDR writes roubles in English as RUB2,900.00. A symbol that is a code wants a gap.
_CODE_FIRST = parse_pattern(f"¤{NO_BREAK_SPACE}#,##0.00")


def locale_of(language: str | None = None) -> Locale:
    """Return the CLDR locale of `language`, or of the active one."""
    return Locale.parse((language or get_language() or "en").split("-")[0])


def money(value: Money, *, signed: bool = False, language: str | None = None) -> str:
    """Write an amount in the reader's language: `€34.80`, `34,80 €`, `RUB 2,900.00`, `−€34.80`.

    With `signed` an amount above zero carries a plus. The spaces do not break.
    """
    locale = locale_of(language)
    pattern = copy.copy(_pattern(value.currency, locale))
    pattern.frac_prec = (exponent_of(value.currency),) * 2
    sign = MINUS if value.amount < 0 else "+" if signed and value.amount > 0 else ""
    text: str = pattern.apply(abs(value.decimal()), locale, currency=value.currency, currency_digits=False)
    return sign + text.replace(" ", NO_BREAK_SPACE).replace("\u202f", NO_BREAK_SPACE)


def day(at: datetime, *, language: str | None = None) -> str:
    """Write a date with the month as a word: `21 November 2026`, `21 ноября 2026`."""
    # Russian's long form ends in "г.", whose full stop doubles where a date ends a sentence.
    return format_date(timezone.localtime(at), "d MMMM y", locale=locale_of(language))


def moment(at: datetime, *, language: str | None = None) -> str:
    """Write a date and a time of day with its zone: `21 November 2026, 14:02 UTC`."""
    return _clocked(at, "HH:mm", language)


def instant(at: datetime, *, language: str | None = None) -> str:
    """Write a moment to the second, where a minute is long: `21 November 2026, 14:02:37 UTC`."""
    return _clocked(at, "HH:mm:ss", language)


def _clocked(at: datetime, shape: str, language: str | None) -> str:
    local = timezone.localtime(at)
    clock = format_datetime(local, shape, tzinfo=local.tzinfo, locale=locale_of(language))
    return f"{day(at, language=language)}, {clock}{NO_BREAK_SPACE}{local.tzname()}"


def _pattern(currency: str, locale: Locale) -> NumberPattern:
    usual: NumberPattern = locale.currency_formats["standard"]
    code_in_front = usual.pattern.startswith("¤") and get_currency_symbol(currency, locale) == currency
    return _CODE_FIRST if code_in_front else usual

"""Format dates and times for people, in their language and time zone. The texts are never parsed."""

from datetime import date, datetime

from babel import Locale
from babel.dates import format_date, format_datetime
from django.utils import timezone
from django.utils.translation import get_language

NO_BREAK_SPACE = "\u00a0"
LONG_DAY = {"ru": f"d MMMM y{NO_BREAK_SPACE}'г.'"}


def locale_of(language: str | None = None) -> Locale:
    """Return the CLDR locale of `language`, by default the active one."""
    return Locale.parse((language or get_language() or "en").split("-")[0])


def day(at: datetime, *, language: str | None = None) -> str:
    """Format a date with the month as a word: `21 November 2026`, `21 ноября 2026 г.`.

    The Russian form brings its own full stop: a Russian sentence that ends in a date takes no other one.
    """
    locale = locale_of(language)
    return format_date(timezone.localtime(at), LONG_DAY.get(locale.language, "d MMMM y"), locale=locale)


def short_day(at: datetime, *, language: str | None = None) -> str:
    """Format a date for a tag or a table: `21 Nov`, `21 нояб.`. For dates within a year of now: it has no year."""
    return short_date(timezone.localtime(at).date(), language=language)


def short_date(on: date, *, language: str | None = None) -> str:
    """Format a date that has no time in the same way."""
    return format_date(on, "d MMM", locale=locale_of(language)).replace(" ", NO_BREAK_SPACE)


def table_day(at: datetime, *, language: str | None = None) -> str:
    """Format a date for a column of a table: `21 Nov 2026`, `21 нояб. 2026`."""
    return format_date(timezone.localtime(at), "d MMM y", locale=locale_of(language)).replace(" ", NO_BREAK_SPACE)


def table_moment(at: datetime, *, language: str | None = None) -> str:
    """Format a date and time in the same way: `21 Nov 2026, 14:02`. The page names the zone once."""
    return f"{table_day(at, language=language)}, {clock_time(at)}"


def clock_time(at: datetime) -> str:
    """Format the time of a day: `14:02`."""
    return timezone.localtime(at).strftime("%H:%M")


def month(year: int, number: int, *, language: str | None = None) -> str:
    """Format a month: `November 2026`, `ноябрь 2026 г.`."""
    locale = locale_of(language)
    pattern = f"LLLL y{NO_BREAK_SPACE}'г.'" if locale.language == "ru" else "LLLL y"
    return format_date(date(year, number, 1), pattern, locale=locale)


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

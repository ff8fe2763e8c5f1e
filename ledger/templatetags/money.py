"""Template tags for amounts and dates, formatted by ledger.display."""

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import dates
from ledger import display
from ledger.money import Money

register = template.Library()


@register.filter
def money(value: Money) -> SafeString:
    """Write an amount that never breaks across lines: `{{ price.money|money }}`."""
    return format_html('<span class="money">{}</span>', display.money(value))


@register.filter
def signed(value: Money) -> SafeString:
    """Write an amount with its sign, `+` for money in: `{{ row.money|signed }}`."""
    return format_html('<span class="money">{}</span>', display.money(value, signed=True))


@register.filter
def negative(value: Money) -> SafeString:
    """Write an amount above zero as money out, with a minus: `{{ sum|negative }}`."""
    return signed(Money(-value.amount, value.currency))


@register.filter
def money_text(value: Money) -> str:
    """Write an amount without markup, for attributes and sentences: `{{ price.money|money_text }}`."""
    return display.money(value)


@register.simple_tag
def amount(minor: int, currency: str) -> SafeString:
    """Write an amount given in minor units: `{% amount charge.amount "EUR" %}`."""
    return money(Money(minor, currency))


@register.filter(expects_localtime=False)
def day(at: datetime) -> SafeString:
    """Write a date: `{{ at|day }}`."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), display.day(at))


@register.filter(expects_localtime=False)
def short_day(at: datetime) -> SafeString:
    """Write a date without its year, for tables: `{{ at|short_day }}`."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), dates.short_day(at))


@register.filter(expects_localtime=False)
def table_day(at: datetime) -> SafeString:
    """Write a date in a column of a table: `{{ at|table_day }}`."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), dates.table_day(at))


@register.filter(expects_localtime=False)
def table_moment(at: datetime) -> SafeString:
    """Write a date and time in a column of a table, whose zone the page names once: `{{ at|table_moment }}`."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), dates.table_moment(at))


@register.filter(expects_localtime=False)
def clock_time(at: datetime) -> SafeString:
    """Write the time of a day: `{{ at|clock_time }}`."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), dates.clock_time(at))


@register.filter(expects_localtime=False)
def day_text(at: datetime) -> str:
    """Write a date without markup, for mails: `{{ at|day_text }}`."""
    return display.day(at)


@register.filter(expects_localtime=False)
def moment_text(at: datetime) -> str:
    """Write a date and time with its zone without markup, for mails: `{{ at|moment_text }}`."""
    return display.moment(at)


@register.filter(expects_localtime=False)
def moment(at: datetime) -> SafeString:
    """Write a date and time with its zone: `{{ at|moment }}`."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), display.moment(at))


@register.filter(expects_localtime=False)
def instant(at: datetime) -> SafeString:
    """Write a date and time to the second: `{{ at|instant }}`."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), display.instant(at))

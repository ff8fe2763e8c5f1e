"""Template tags for amounts and dates. How they are written stands in ledger.display."""

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ledger import display
from ledger.money import Money

register = template.Library()


@register.filter
def money(value: Money) -> SafeString:
    """`{{ price.money|money }}`: an amount that never breaks over a line."""
    return format_html('<span class="money">{}</span>', display.money(value))


@register.filter
def signed(value: Money) -> SafeString:
    """`{{ row.money|signed }}`: the same with its sign, `+` on what came in."""
    return format_html('<span class="money">{}</span>', display.money(value, signed=True))


@register.filter
def money_text(value: Money) -> str:
    """`{{ price.money|money_text }}`: without markup, for attributes and sentences."""
    return display.money(value)


@register.simple_tag
def amount(minor: int, currency: str) -> SafeString:
    """`{% amount charge.amount "EUR" %}`: an amount from its minor units."""
    return money(Money(minor, currency))


@register.filter(expects_localtime=False)
def day(at: datetime) -> SafeString:
    """`{{ at|day }}`: a date."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), display.day(at))


@register.filter(expects_localtime=False)
def moment(at: datetime) -> SafeString:
    """`{{ at|moment }}`: a date and a time of day with its zone."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), display.moment(at))


@register.filter(expects_localtime=False)
def instant(at: datetime) -> SafeString:
    """`{{ at|instant }}`: a moment to the second."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), display.instant(at))

"""Template filters for prices and subscriptions. The texts are in subscriptions.labels."""

from datetime import timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core import dates
from core.templatetags import icons
from subscriptions import labels
from subscriptions.explain import sentences
from subscriptions.models import Price, Subscription
from subscriptions.overview import SubscriptionState
from subscriptions.web import actions
from subscriptions.web.cards import Card

register = template.Library()


@register.filter
def every(price: Price, periods: int = 1) -> str:
    """`{{ price|every }}`: a month; `{{ price|every:3 }}`: every 3 months."""
    return labels.every(price, periods)


@register.filter
def span(price: Price, periods: int = 1) -> str:
    """`{{ price|span:24 }}`: 24 hours."""
    return labels.span(price, periods)


@register.filter
def status_tag(card: Card | SubscriptionState) -> SafeString:
    """`{{ card|status_tag }}`: the status as a coloured tag with a symbol. One that will end says when."""
    status = Subscription.Status(card.status)
    tone, _sign, name = labels.STATUSES[status]
    symbol, word = labels.ICONS[status], str(name)
    if card.ends_on is not None:
        tone, symbol = "warn", "clock"
        word = _("Ends %(day)s") % {"day": dates.short_day(card.ends_on)}
    return format_html('<span class="tag {}">{}{}</span>', tone, icons.icon(symbol), word)


@register.filter
def picture(price: Price) -> str:
    """`{{ price|picture }}`: the name of the icon of what a price sells."""
    return labels.picture(price)


@register.filter
def main_action(card: Card) -> str:
    """`{{ card|main_action }}`: the one action whose button the card shows; empty if it shows none."""
    return actions.main_action(card) or ""


@register.filter
def shortly(span: timedelta) -> str:
    """`{{ card.left|shortly }}`: 12 days 4 h."""
    return sentences.shortly(span)


@register.filter
def pressing(card: Card) -> list[actions.Action]:
    """`{{ card|pressing }}`: the actions that stand beside what happens next."""
    return actions.pressing_actions(card)


@register.filter
def usual(card: Card) -> list[actions.Action]:
    """`{{ card|usual }}`: the other actions that the customer's page offers now."""
    return actions.usual_actions(card)

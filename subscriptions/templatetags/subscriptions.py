"""Template filters for prices and subscriptions. The texts are in subscriptions.labels."""

from datetime import timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from subscriptions import labels
from subscriptions.explain import sentences
from subscriptions.models import Plan, Price, Subscription
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
def of_plan(held: dict[int, Subscription], plan: Plan) -> Subscription | None:
    """`{{ held|of_plan:plan }}`: the visitor's subscription to the plan, if any."""
    return held.get(plan.pk)


@register.filter
def status_tag(card: Card) -> SafeString:
    """`{{ card|status_tag }}`: the status as a coloured tag with a symbol."""
    tone, sign, word = labels.STATUSES[Subscription.Status(card.status)]
    return format_html('<span class="tag {}"><span aria-hidden="true">{}</span> {}</span>', tone, sign, word)


@register.filter
def shortly(span: timedelta) -> str:
    """`{{ card.left|shortly }}`: 12 days 4 h."""
    return sentences.shortly(span)


@register.filter
def possible(card: Card) -> list[actions.Action]:
    """`{{ card|possible }}`: the actions that the subscription allows now."""
    return actions.possible_actions(card)

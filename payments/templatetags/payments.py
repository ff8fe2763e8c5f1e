"""Template filters for payments."""

from django import template

from payments import descriptions
from payments.collection import coverage
from payments.models import Payment, PaymentMethod
from subscriptions.web.cards import Card

register = template.Library()


@register.filter
def payment_for(payment: Payment) -> str:
    """`{{ payment|payment_for }}`: what the payment is for, in the reader's language."""
    return descriptions.name_of(payment)


@register.filter
def charged_instead(card: Card) -> PaymentMethod | None:
    """`{{ card|charged_instead }}`: the saved method that pays a renewal for which the balance is too low, if any."""
    if not card.is_short or card.until is None:
        return None
    currency, covered = card.price.currency, coverage.of(card.row.customer_id)
    return covered.renewal_method(currency, now=card.until) or covered.top_up_method(currency, now=card.until)

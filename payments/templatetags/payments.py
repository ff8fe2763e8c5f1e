"""Template filters for payments."""

from django import template

from payments import descriptions
from payments.collection import coverage
from payments.collection.coverage import Coverage
from payments.models import Payment, PaymentMethod
from subscriptions.web.cards import Card

register = template.Library()


@register.filter
def payment_for(payment: Payment) -> str:
    """`{{ payment|payment_for }}`: what the payment is for, in the reader's language."""
    return descriptions.name_of(payment)


@register.simple_tag
def charged_instead(card: Card, covered: Coverage | None = None) -> PaymentMethod | None:
    """`{% charged_instead card as method %}`: the saved method that pays what the balance lacks for a renewal, if any.

    A page with many cards gives the customer's coverage, which is one query otherwise.
    """
    if not card.is_short or card.until is None or card.continues_metered:
        return None
    covered = covered or coverage.of(card.row.customer_id)
    return covered.method(card.price.currency, now=card.until)

"""Template filters for payments."""

from django import template

from payments import descriptions
from payments.models import Payment

register = template.Library()


@register.filter
def payment_for(payment: Payment) -> str:
    """`{{ payment|payment_for }}`: what the payment is for, in the reader's language."""
    return descriptions.name_of(payment)

"""Template filters for payments."""

from django import template

from payments.models import Payment
from payments.web import payment_page

register = template.Library()


@register.filter
def payment_for(payment: Payment) -> str:
    """`{{ payment|payment_for }}`: what the payment is for, in the reader's language."""
    return payment_page.name_of(payment)

"""Quotes of plan changes: the query that asks for one, the quote in responses, and accepting a quote by its id."""

from datetime import datetime

from django.utils.translation import gettext as _
from rest_framework import serializers

from core.api.lookup import find_by_public_id
from core.api.serializers import StrictSerializer
from ledger.api.serializers import MoneySerializer
from ledger.money import Money
from subscriptions import quotes
from subscriptions.api.serializers import WHEN, NextChargeSerializer, plan_code
from subscriptions.models import Quote, Subscription


class ChangePreviewQuery(StrictSerializer):
    """The plan change to quote."""

    plan = plan_code()
    when = serializers.ChoiceField(choices=WHEN, default="now")


class QuoteLineSerializer(serializers.Serializer):
    """One movement of the wallet that the change causes."""

    reason = serializers.CharField(help_text="As in the list of transactions.")
    subscription = serializers.CharField(source="subscription.public_id", default=None, allow_null=True)
    amount = MoneySerializer(source="money", help_text="Signed: positive comes back to the wallet.")
    formula = serializers.CharField(help_text="How it was calculated, such as `99.00 × 18 of 30 days`.")


class QuoteSerializer(serializers.Serializer):
    """The exact amounts of a plan change, if it is accepted by `expires_at`."""

    id = serializers.CharField(source="quote.public_id")
    subscription = serializers.CharField(source="quote.subscription.public_id")
    plan = serializers.CharField(source="quote.price.plan.code")
    when = serializers.ChoiceField(source="quote.when", choices=WHEN)
    as_of = serializers.DateTimeField(source="quote.as_of", help_text="When the quote was made.")
    expires_at = serializers.DateTimeField(
        source="quote.expires_at", help_text="The last moment at which it can be accepted."
    )
    takes_effect_at = serializers.DateTimeField(
        source="quote.takes_effect_at",
        allow_null=True,
        help_text="When the change takes effect; null: on acceptance. The money always moves on acceptance.",
    )
    lines = QuoteLineSerializer(many=True)
    balance_before = MoneySerializer()
    balance_after = MoneySerializer()
    total = MoneySerializer(help_text="The sum of the lines: negative leaves the wallet.")
    status_after = serializers.ChoiceField(source="quote.status_after", choices=Subscription.Status.choices)
    next_charge = NextChargeSerializer(allow_null=True)


class ShownQuote:
    """A quote with its amounts as Money and its lines with formulas, for QuoteSerializer."""

    def __init__(self, quote: Quote) -> None:
        currency = quote.price.currency
        self.quote = quote
        self.lines = quotes.read_lines(quote)
        self.balance_before = Money(quote.balance_before, currency)
        self.balance_after = Money(quote.balance_after, currency)
        self.total = Money(quote.total, currency)
        due = quote.next_charge_amount
        self.next_charge = None if due is None else {"at": quote.next_charge_at, "amount": Money(due, currency)}


def body_of(quote: Quote) -> dict[str, object]:
    """Return a quote as a response body."""
    return dict(QuoteSerializer(ShownQuote(quote)).data)


def accept(subscription: Subscription, quote_id: str, *, now: datetime) -> None:
    """Carry out a quote of this subscription.

    Raises NotFound if the subscription has no such quote, QuoteChanged with the new quote if it is no longer valid.
    """
    rows = Quote.objects.select_related("subscription__customer", "price__plan").filter(subscription=subscription)
    detail = _("This subscription has no quote with this id. Create one with GET .../change-preview.")
    quote = find_by_public_id(rows, param="quote", detail=detail, public_id=quote_id)
    try:
        quotes.accept(quote, now=now)
    except quotes.QuoteChanged as changed:
        changed.extra = {"quote": body_of(changed.quote)}
        raise

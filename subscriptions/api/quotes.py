"""Quotes of changes: the query that asks for one, the quote in responses, and accepting a quote by its id."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from core.api.fields import WholeField
from core.api.lookup import find_by_public_id
from core.api.serializers import StrictSerializer
from ledger.api.serializers import MoneySerializer
from ledger.money import Money
from subscriptions import quote_lines, quotes
from subscriptions.api.serializers import WHEN, NextChargeSerializer, plan_code
from subscriptions.catalogue import MOST_QUANTITY
from subscriptions.models import Quote, Subscription
from subscriptions.refusals import INSUFFICIENT_FUNDS, Refused


class ChangePreviewQuery(StrictSerializer):
    """The change to quote: a plan or a quantity."""

    plan = plan_code(required=False)
    quantity = WholeField(min_value=1, max_value=MOST_QUANTITY, required=False)
    when = serializers.ChoiceField(choices=WHEN, default="now")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require either a plan or a quantity."""
        if "plan" in attrs and "quantity" in attrs:
            raise serializers.ValidationError({"quantity": _("Send `plan` or `quantity`, not both.")})
        if "plan" not in attrs and "quantity" not in attrs:
            raise serializers.ValidationError({"plan": _("Send either `plan` or `quantity`.")})
        return attrs


class QuoteLineSerializer(serializers.Serializer):
    """One movement of the wallet that the change causes: at most this is paid, at least this comes back."""

    reason = serializers.CharField(help_text="As in the list of transactions.")
    subscription = serializers.CharField(source="subscription.public_id", default=None, allow_null=True)
    amount = MoneySerializer(source="money", help_text="Signed: positive comes back to the wallet.")
    formula = serializers.CharField(help_text="How it was calculated, such as `99.00 × 18 of 30 days`.")


class QuoteSerializer(serializers.Serializer):
    """What a change costs at most, if it is accepted by `expires_at`. It takes effect on acceptance."""

    id = serializers.CharField(source="quote.public_id")
    subscription = serializers.CharField(source="quote.subscription.public_id")
    plan = serializers.CharField(source="quote.price.plan.code")
    quantity = serializers.IntegerField(
        source="quote.quantity", allow_null=True, help_text="The new quantity; null: the plan changes."
    )
    when = serializers.ChoiceField(source="quote.when", choices=WHEN)
    as_of = serializers.DateTimeField(source="quote.as_of", help_text="When the quote was made.")
    expires_at = serializers.DateTimeField(
        source="quote.expires_at", help_text="The last moment at which it can be accepted."
    )
    lines = QuoteLineSerializer(many=True)
    balance_before = MoneySerializer()
    balance_after = MoneySerializer(
        help_text="At least this is left, after the use of the meters that run or start again until the end."
    )
    total = MoneySerializer(help_text="The sum of the lines: negative leaves the wallet, at most.")
    status_after = serializers.ChoiceField(source="quote.status_after", choices=Subscription.Status.choices)
    next_charge = NextChargeSerializer(allow_null=True)


class ShownQuote:
    """A quote with its amounts as Money and its lines with formulas, for QuoteSerializer."""

    def __init__(self, quote: Quote) -> None:
        currency = quote.price.currency
        self.quote = quote
        self.lines = quote_lines.read(quote)
        self.balance_before = Money(quote.balance_before, currency)
        self.balance_after = Money(quote.balance_after, currency)
        self.total = Money(quote.total, currency)
        due = quote.next_charge_amount
        self.next_charge = None if due is None else {"at": quote.next_charge_at, "amount": Money(due, currency)}


def body_of(quote: Quote) -> dict[str, object]:
    """Return a quote as a response body."""
    return dict(QuoteSerializer(ShownQuote(quote)).data)


def preview(subscription: Subscription, terms: dict[str, Any], *, now: datetime) -> Quote:
    """Make a quote for the validated terms of a preview."""
    code, quantity, when = terms.get("plan"), terms.get("quantity"), terms["when"]
    price = subscription.price if code is None else quotes.price_for(subscription, code, now=now)
    return quotes.make(subscription, price, now=now, quantity=quantity, when=when)


def with_missing(refused: Refused, subscription: Subscription, terms: dict[str, Any], *, now: datetime) -> Refused:
    """Return the refusal of a change of plan or quantity; for one that lacks money, with what is `missing`."""
    if refused.code != INSUFFICIENT_FUNDS or len(terms.keys() & {"plan", "quantity"}) != 1:
        return refused
    try:
        preview(subscription, {"when": "now", **terms}, now=now)
    except Refused as detailed:
        return detailed
    return refused


def accept(subscription: Subscription, quote_id: str, *, of_quantity: bool, now: datetime) -> None:
    """Carry out a quote of this subscription, for a change of its quantity or of its plan.

    Raises NotFound if the subscription has no such quote, QuoteChanged with the new quote if it is no longer valid.
    """
    rows = Quote.objects.select_related("subscription__customer", "price__plan")
    rows = rows.filter(subscription=subscription, quantity__isnull=not of_quantity)
    detail = _("This subscription has no quote with this id. Create one with GET .../change-preview.")
    quote = find_by_public_id(rows, param="quote", detail=detail, public_id=quote_id)
    try:
        quotes.accept(quote, now=now)
    except quotes.QuoteChanged as changed:
        changed.extra = {"quote": body_of(changed.quote)}
        raise

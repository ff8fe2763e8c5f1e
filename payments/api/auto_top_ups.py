"""The API of automatic top-ups: list your rules, turn one on for a balance, turn it off."""

from typing import Any, cast

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.api.fields import TextField, WholeField
from core.api.filters import refuse_unknown_parameters
from core.api.idempotency import Idempotent
from core.api.serializers import StrictSerializer
from ledger.api.serializers import MoneySerializer
from payments import amounts
from payments.api.consents import WordsField, check_words, find_method, known_address
from payments.api.serializers import AmountField, minor_units
from payments.collection import top_ups
from payments.models import AutoTopUp

# The amounts of a rule: as the API calls them, and as payments.collection.top_ups does.
AMOUNTS = {"threshold": "threshold", "amount": "amount", "monthly_cap": "cap"}


class AutoTopUpSerializer(serializers.Serializer):
    """Your rule for one balance: an amount below a threshold, or so many days of use kept ahead."""

    id = serializers.CharField(source="public_id")
    currency = serializers.CharField()
    method = serializers.CharField(source="consent.method.public_id")
    threshold = MoneySerializer(source="threshold_money", allow_null=True)
    amount = MoneySerializer(
        source="amount_money", allow_null=True, help_text="What is charged when less than `threshold` can be spent."
    )
    days = serializers.IntegerField(
        source="days_ahead", allow_null=True,
        help_text="Or: when the balance lasts for fewer days, what makes it last for twice as many is charged.",
    )  # fmt: skip
    monthly_cap = MoneySerializer(source="cap_money", help_text="The most in a calendar month (UTC).")
    words = serializers.CharField(source="consent.words", help_text="What you agreed to.")
    created_at = serializers.DateTimeField()
    stopped_at = serializers.DateTimeField(
        allow_null=True, help_text="When we stopped it: see `stopped_reason`. `null` while it is on."
    )
    stopped_reason = serializers.CharField()


class NewAutoTopUpSerializer(StrictSerializer):
    """A rule to turn on: `threshold` with `amount`, or `days`."""

    method = TextField(max_length=40, help_text="Id of your saved payment method.")
    currency = TextField(max_length=3, help_text="ISO 4217: the balance that is topped up.")
    threshold = AmountField(required=False, help_text="Charge when less than this can be spent; with `amount`.")
    amount = AmountField(required=False)
    days = WholeField(required=False, help_text="Or: keep so many days of the present use ahead.")
    monthly_cap = AmountField(help_text="The most in a calendar month (UTC).")
    words = WordsField()

    def validate_currency(self, currency: str) -> str:
        """Raise CurrencyNotTaken here, before the amounts are read."""
        return amounts.check_taken(currency)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Turn the amounts into minor units, and refuse one that was sent in another currency."""
        currency = attrs["currency"]
        for name in AMOUNTS.keys() & attrs.keys():
            if attrs[name].currency not in (None, currency):
                raise serializers.ValidationError({name: gettext_lazy("It is in another currency than `currency`.")})
            attrs[name] = minor_units(attrs[name], currency, param=name)
        return attrs


class OwnRules(GenericAPIView):
    """The caller's own rules. Those of others are answered as not found."""

    serializer_class = AutoTopUpSerializer
    queryset = AutoTopUp.objects.none()
    filter_backends = ()


class AutoTopUpList(Idempotent, OwnRules):
    """Rules for automatic top-ups."""

    empty_detail = gettext_lazy("No automatic top-ups")

    def get_queryset(self) -> QuerySet[AutoTopUp]:
        """Return the caller's rules that are not turned off, the newest first."""
        own = AutoTopUp.objects.filter(customer_id=self.request.user.pk, ended_at=None, consent__withdrawn_at=None)
        return own.select_related("consent__method").order_by("-id")

    @extend_schema(operation_id="automatic_top_ups_list", responses=AutoTopUpSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List your rules, newest first: at most one for each currency. One that we have stopped is listed too."""
        refuse_unknown_parameters(request, ("limit", "cursor"))
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(AutoTopUpSerializer(page, many=True).data)

    @extend_schema(
        operation_id="automatic_top_ups_create", request=NewAutoTopUpSerializer, responses={201: AutoTopUpSerializer}
    )
    def post(self, request: Request) -> Response:
        """Turn a rule on for one balance, in place of the one before.

        Show the customer the words first: without them the answer is an error that has them.
        """
        form = NewAutoTopUpSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(AutoTopUpSerializer(self._turn_on(request, form.validated_data)).data, 201)

    def _turn_on(self, request: Request, sent: dict[str, Any]) -> AutoTopUp:
        currency, numbers = sent["currency"], {own: sent.get(name) for name, own in AMOUNTS.items()}
        rule: dict[str, Any] = {**numbers, "days": sent.get("days")}
        method = find_method(cast(User, request.user), sent["method"])
        try:
            top_ups.check(method, currency, **rule)
        except top_ups.RuleInvalid as error:
            error.param = "monthly_cap" if error.param == "cap" else error.param
            raise
        check_words(sent, top_ups.words(method, currency, **rule))
        with transaction.atomic():
            if self.is_first_time():
                return top_ups.turn_on(method, currency, address=known_address(request), now=timezone.now(), **rule)
            return AutoTopUp.objects.filter(customer=method.customer_id, currency=currency).latest("id")


class AutoTopUpDetail(Idempotent, OwnRules):
    """One rule."""

    @extend_schema(operation_id="automatic_top_ups_destroy", responses={204: None})
    def delete(self, request: Request, public_id: str) -> Response:
        """Turn a rule off and withdraw its consent: from now on nothing is charged by it. Again, it answers 204 too."""
        own = AutoTopUp.objects.filter(customer_id=request.user.pk)
        rule = get_object_or_404(own, public_id=public_id)
        if rule.ended_at is None:
            top_ups.turn_off(rule.customer_id, rule.currency, now=timezone.now())
        return Response(status=204)

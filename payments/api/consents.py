"""The API of consents to renewals: list your own, give one for a saved method, withdraw it."""

from typing import Any, cast

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.addresses import UNKNOWN, client_address
from core.api.fields import TextField
from core.api.filters import refuse_unknown_parameters
from core.api.idempotency import Idempotent
from core.api.lookup import find_by_public_id
from core.api.serializers import StrictSerializer
from core.errors import DomainError
from payments import methods
from payments.collection import consents, top_ups
from payments.collection.consents import Purpose
from payments.models import Consent, PaymentMethod


class WordsRequired(DomainError):
    """The customer has not been shown the words that they would agree to, or other words."""

    code = "consent_words_required"
    param = "words"


class ConsentSerializer(serializers.Serializer):
    """What you have agreed to: that a saved payment method is charged while you are away."""

    id = serializers.CharField(source="public_id")
    purpose = serializers.ChoiceField(
        choices=Purpose.choices, help_text="`renewals` of all subscriptions, or `top_ups` of one balance by your rule."
    )
    currency = serializers.SerializerMethodField(help_text="The balance that is topped up; `null` for renewals.")
    method = serializers.CharField(source="method.public_id")
    words = serializers.CharField(help_text="What you were shown and agreed to.")
    language = serializers.CharField()
    version = serializers.IntegerField(help_text="The version of the words.")
    given_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(
        allow_null=True, help_text="Since when nothing is charged by it. `null` while it is in force."
    )

    def get_currency(self, consent: Consent) -> str | None:
        """Return the currency of the balance, None for renewals."""
        return consent.currency or None


class WordsField(TextField):
    """The exact words that the customer was shown."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = (
            "The words that the customer was shown and agreed to, exactly. Without them, or with others, nothing is "
            "changed, and the error has the `words` to show."
        )
        super().__init__(max_length=2000, required=False, allow_blank=True, help_text=help_text, **kwargs)


class NewConsentSerializer(StrictSerializer):
    """A consent to renewals."""

    method = TextField(max_length=40, help_text="Id of your saved payment method. It becomes the default one.")
    words = WordsField()


def check_words(sent: dict[str, Any], words: str, *, param: str = "words") -> None:
    """Raise WordsRequired, which has the words to show, unless exactly these words were sent as the field `param`."""
    if sent.get(param) != words:
        text = _("Show the customer these words. Send them back as `%(param)s` once the customer agrees: %(words)s")
        detail = text % {"param": param, "words": words}
        raise WordsRequired(detail, param=param, words=words, version=consents.VERSION)


def find_method(customer: User, public_id: str) -> PaymentMethod:
    """Return a saved method of the customer; raise NotFound."""
    detail = _("You have no saved payment method with this id. GET /api/payment-methods/ lists them.")
    return find_by_public_id(methods.kept(customer), param="method", detail=detail, public_id=public_id)


def known_address(request: Request) -> str | None:
    """Return the caller's IP address, None if it is not known."""
    address = client_address(request)
    return None if address == UNKNOWN else address


class OwnConsents(GenericAPIView):
    """The caller's own consents. Those of others are answered as not found."""

    serializer_class = ConsentSerializer
    queryset = Consent.objects.none()
    filter_backends = ()


class ConsentList(Idempotent, OwnConsents):
    """Consents, those that were withdrawn too."""

    empty_detail = gettext_lazy("No consents")

    def get_queryset(self) -> QuerySet[Consent]:
        """Return the caller's consents, the newest first."""
        own = Consent.objects.filter(customer_id=self.request.user.pk)
        return own.select_related("method").order_by("-id")

    @extend_schema(operation_id="consents_list", responses=ConsentSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List your consents, newest first, with those that you have withdrawn."""
        refuse_unknown_parameters(request, ("limit", "cursor"))
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(ConsentSerializer(page, many=True).data)

    @extend_schema(operation_id="consents_create", request=NewConsentSerializer, responses={201: ConsentSerializer})
    def post(self, request: Request) -> Response:
        """Agree that renewals which your balance cannot pay are charged to a saved method, in place of one before.

        Show the customer the words first: without them the answer is an error that has them.
        """
        form = NewConsentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        customer, now = cast(User, request.user), timezone.now()
        method = find_method(customer, form.validated_data["method"])
        check_words(form.validated_data, consents.renewal_words(method))
        with transaction.atomic():
            if self.is_first_time():
                consent = consents.agree_to_renewals(method, address=known_address(request), now=now)
            else:
                consent = self.get_queryset().filter(purpose=Purpose.RENEWALS, method=method)[0]
        return Response(ConsentSerializer(consent).data, 201)


class ConsentDetail(Idempotent, OwnConsents):
    """One consent."""

    @extend_schema(operation_id="consents_destroy", responses={204: None})
    def delete(self, request: Request, public_id: str) -> Response:
        """Withdraw a consent: from now on nothing is charged by it. A rule for top-ups is turned off with it.

        Withdrawing again changes nothing and answers 204 too.
        """
        own = Consent.objects.filter(customer_id=request.user.pk)
        consent, now = get_object_or_404(own, public_id=public_id), timezone.now()
        if consent.purpose == Purpose.TOP_UPS and consent.withdrawn_at is None:
            top_ups.turn_off(consent.customer_id, consent.currency, now=now)
        consents.withdraw(consent, now=now)
        return Response(status=204)

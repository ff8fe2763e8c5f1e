"""The subscriptions API: list, create, show, change, pause and cancel."""

from collections.abc import Callable
from typing import Any, cast

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.api.filters import refuse_unknown_parameters
from core.api.idempotency import Idempotent
from core.api.schema import INSUFFICIENT_FUNDS, NOT_FOUND
from subscriptions import books, catalogue, orders, overview
from subscriptions.api import quotes
from subscriptions.api.serializers import (
    AccessSerializer,
    CancelSerializer,
    ChangePlanSerializer,
    ChangeQuantitySerializer,
    NothingSerializer,
    PatchSubscriptionSerializer,
    SubscribeSerializer,
    SubscriptionQuery,
    SubscriptionSerializer,
)
from subscriptions.models import Subscription
from subscriptions.refusals import Refused

MANY = SubscriptionSerializer(many=True)


class SubscriptionPages(GenericAPIView):
    """Base of the views that list a customer's subscriptions in their current state."""

    serializer_class = SubscriptionSerializer
    filter_backends = ()
    queryset = Subscription.objects.none()

    def page(self, request: Request, customer: User) -> Response:
        """Return a page of the customer's subscriptions, newest first."""
        query = SubscriptionQuery(data=request.query_params)
        refuse_unknown_parameters(request, query.fields)
        query.is_valid(raise_exception=True)
        filters = {name: value for name, value in query.validated_data.items() if name in ("status", "plan")}
        held = overview.of(customer, now=timezone.now())
        page = self.paginate_queryset(held.rows(**filters)) or []
        return self.get_paginated_response(SubscriptionSerializer(held.states(page), many=True).data)


class SubscriptionList(Idempotent, SubscriptionPages):
    """List the caller's subscriptions and create one."""

    @extend_schema(operation_id="subscriptions_list", parameters=[SubscriptionQuery], responses=MANY)
    def get(self, request: Request) -> Response:
        """List the caller's subscriptions, newest first."""
        return self.page(request, request.user)  # type: ignore[arg-type]

    @extend_schema(
        operation_id="subscriptions_create",
        request=SubscribeSerializer,
        responses={201: SubscriptionSerializer, **NOT_FOUND},
    )
    def post(self, request: Request) -> Response:
        """Subscribe: active if the wallet covers it or it starts with a trial, else pending: `next` says how to pay."""
        body = SubscribeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        customer, terms, now = cast(User, request.user), dict(body.validated_data), timezone.now()
        sent = orders.request_of(self.idempotency_key, **terms)
        row = orders.find(customer, sent)
        if row is None:
            price = catalogue.chosen(terms.pop("plan"), customer=customer, currency=terms.pop("currency", None))
            row = orders.subscribe(customer, price, now=now, request=sent, **terms)
        return Response(SubscriptionSerializer(overview.one(row, now=now)).data, 201)


class UserSubscriptions(SubscriptionPages):
    """The subscriptions of a user. Staff see everybody's, a customer only their own."""

    @extend_schema(operation_id="users_subscriptions_list", parameters=[SubscriptionQuery], responses=MANY)
    def get(self, request: Request, user_id: int) -> Response:
        """List a user's subscriptions, newest first."""
        if user_id != request.user.pk and not getattr(request.user, "is_staff", False):
            raise Http404
        return self.page(request, get_object_or_404(User, pk=user_id))


@extend_schema(exclude=True)
class SubscriptionsByNumber(UserSubscriptions):
    """The same at the address of an older description. OpenAPI has no place for two addresses of one shape."""


class OneSubscription(GenericAPIView):
    """Base of the views of one of the caller's subscriptions. Those of others are answered as not found."""

    serializer_class = SubscriptionSerializer
    filter_backends = ()
    queryset = Subscription.objects.none()

    def own(self) -> Subscription:
        """Return the caller's subscription that the URL names; raise Http404 if there is none."""
        own = Subscription.objects.filter(customer_id=self.request.user.pk).select_related("price__plan", "customer")
        return get_object_or_404(own, public_id=self.kwargs["public_id"])

    def answer(self) -> Response:
        """Return a response with the subscription in its current state."""
        return Response(SubscriptionSerializer(overview.one(self.own(), now=timezone.now())).data)

    def sent(self, serializer: type[Any]) -> dict[str, Any]:
        """Return the request body, validated by the serializer."""
        body = serializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)


class ChangingView(Idempotent, OneSubscription):
    """Base of the views that change a subscription. The same request with its key changes it once."""

    def change(self, row: Subscription, act: Callable[[books.OpenBook], None]) -> None:
        """Call `act` on the subscription's book, unless the request with this key was carried out before."""
        orders.change(row, now=timezone.now(), act=act, is_first_time=self.is_first_time)


class SubscriptionDetail(ChangingView):
    """One subscription."""

    @extend_schema(operation_id="subscriptions_retrieve")
    def get(self, request: Request, public_id: str) -> Response:
        """Return the subscription in its current state, even if the workers have not run yet."""
        refuse_unknown_parameters(request, ())
        return self.answer()

    @extend_schema(
        operation_id="subscriptions_update",
        request=PatchSubscriptionSerializer,
        responses={200: SubscriptionSerializer, **INSUFFICIENT_FUNDS},
    )
    def patch(self, request: Request, public_id: str) -> Response:
        """Change the plan, the quantity, automatic renewal, or several of them: all or nothing."""
        row, terms = self.own(), self.sent(PatchSubscriptionSerializer)
        renews = terms.pop("auto_renew", None)

        def act(book: books.OpenBook) -> None:
            if renews is not None:
                book.set_auto_renew(row, renews)
            if terms:
                book.change(row, **terms)

        try:
            self.change(row, act)
        except Refused as refused:
            raise quotes.with_missing(refused, row, terms, now=timezone.now()) from refused
        return self.answer()

    @extend_schema(operation_id="subscriptions_destroy", responses={200: SubscriptionSerializer})
    def delete(self, request: Request, public_id: str) -> Response:
        """Cancel at the end of the paid period, or at once if nothing is paid. The subscription is not deleted."""
        row, terms = self.own(), self.sent(CancelSerializer)
        self.change(row, lambda book: book.cancel(row, **terms))
        return self.answer()


class SubscriptionAccess(OneSubscription):
    """Whether a subscription can be used."""

    @extend_schema(operation_id="subscriptions_access", responses=AccessSerializer)
    def get(self, request: Request, public_id: str) -> Response:
        """Return whether the subscription can be used now."""
        refuse_unknown_parameters(request, ())
        access = overview.access_by_id(public_id, int(request.user.pk or 0), now=timezone.now())
        if access is None:
            raise Http404
        # The fields of AccessSerializer. The renderer writes the time as the serializer would, in a tenth of the time.
        return Response(access._asdict())


class Cancel(ChangingView):
    """POST .../cancel"""

    @extend_schema(
        operation_id="subscriptions_cancel", request=CancelSerializer, responses={200: SubscriptionSerializer}
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Cancel at the end of the paid period, or now, with a refund for unused time if requested."""
        row, terms = self.own(), self.sent(CancelSerializer)
        self.change(row, lambda book: book.cancel(row, **terms))
        return self.answer()


class UndoCancel(ChangingView):
    """POST .../undo-cancel"""

    @extend_schema(operation_id="subscriptions_undo_cancel", request=None, responses={200: SubscriptionSerializer})
    def post(self, request: Request, public_id: str) -> Response:
        """Undo a cancellation that has not taken effect yet."""
        row, _ = self.own(), self.sent(NothingSerializer)
        self.change(row, lambda book: book.undo_cancel(row))
        return self.answer()


class Pause(ChangingView):
    """POST .../pause"""

    @extend_schema(operation_id="subscriptions_pause", request=None, responses={200: SubscriptionSerializer})
    def post(self, request: Request, public_id: str) -> Response:
        """Pause an active subscription: nothing is charged, and the rest of the paid period is kept."""
        row, _ = self.own(), self.sent(NothingSerializer)
        self.change(row, lambda book: book.pause(row))
        return self.answer()


class Resume(ChangingView):
    """POST .../resume"""

    @extend_schema(operation_id="subscriptions_resume", request=None, responses={200: SubscriptionSerializer})
    def post(self, request: Request, public_id: str) -> Response:
        """Resume a paused subscription."""
        row, _ = self.own(), self.sent(NothingSerializer)
        self.change(row, lambda book: book.resume(row))
        return self.answer()


class Start(ChangingView):
    """POST .../start"""

    @extend_schema(
        operation_id="subscriptions_start",
        request=None,
        responses={200: SubscriptionSerializer, **INSUFFICIENT_FUNDS},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Start a pending or suspended subscription from the wallet; a refusal says what is `missing`."""
        row, _ = self.own(), self.sent(NothingSerializer)
        self.change(row, lambda book: book.start(row))
        return self.answer()


class Change(ChangingView):
    """Base of the two changes that a quote can show before."""

    def make(self, serializer: type[Any], *, of_quantity: bool) -> Response:
        """Make a change by its quote or its terms, and return the response."""
        row, terms = self.own(), self.sent(serializer)
        if "quote" in terms:
            quotes.accept(row, terms["quote"], of_quantity=of_quantity, now=timezone.now())
        else:
            try:
                self.change(row, lambda book: book.change(row, **terms))
            except Refused as refused:
                raise quotes.with_missing(refused, row, terms, now=timezone.now()) from refused
        return self.answer()


class ChangePlan(Change):
    """POST .../change-plan"""

    @extend_schema(
        operation_id="subscriptions_change_plan",
        request=ChangePlanSerializer,
        responses={200: SubscriptionSerializer, **INSUFFICIENT_FUNDS},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Change to another plan, by a quote or by the plan's code. Nothing happens if the wallet cannot pay for it.

        A change to the plan it has drops what is scheduled and moves no money. A `quote` that no longer holds is
        answered with 409 `quote_changed` and a new quote in `quote`.
        """
        return self.make(ChangePlanSerializer, of_quantity=False)


class ChangeQuantity(Change):
    """POST .../change-quantity"""

    @extend_schema(
        operation_id="subscriptions_change_quantity",
        request=ChangeQuantitySerializer,
        responses={200: SubscriptionSerializer, **INSUFFICIENT_FUNDS},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Change the quantity, by a quote or by the number. Nothing happens if the wallet cannot pay for it.

        Within a paid period only the difference for the time left moves. The number it has drops what is scheduled. A
        `quote` that no longer holds is answered with 409 `quote_changed` and a new quote in `quote`.
        """
        return self.make(ChangeQuantitySerializer, of_quantity=True)


class ChangePreview(OneSubscription):
    """GET .../change-preview"""

    @extend_schema(
        operation_id="subscriptions_change_preview",
        parameters=[quotes.ChangePreviewQuery],
        responses={200: quotes.QuoteSerializer, **INSUFFICIENT_FUNDS},
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Quote a change of plan or quantity: what it costs at most, if its `id` is sent by `expires_at`."""
        row, query = self.own(), quotes.ChangePreviewQuery(data=request.query_params)
        refuse_unknown_parameters(request, query.fields)
        query.is_valid(raise_exception=True)
        return Response(quotes.body_of(quotes.preview(row, query.validated_data, now=timezone.now())))

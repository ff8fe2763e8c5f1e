"""Subscriptions: listed, ordered, looked at, changed, cancelled."""

from typing import Any

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
    NothingSerializer,
    PatchSubscriptionSerializer,
    SubscribeSerializer,
    SubscriptionQuery,
    SubscriptionSerializer,
)
from subscriptions.models import Subscription

MANY = SubscriptionSerializer(many=True)


class SubscriptionPages(GenericAPIView):
    """Pages of a customer's subscriptions, each as it is now."""

    serializer_class = SubscriptionSerializer
    filter_backends = ()
    queryset = Subscription.objects.none()

    def page(self, request: Request, customer: User) -> Response:
        """Answer a page, newest first."""
        query = SubscriptionQuery(data=request.query_params)
        refuse_unknown_parameters(request, query.fields)
        query.is_valid(raise_exception=True)
        asked = {name: value for name, value in query.validated_data.items() if name in ("status", "plan")}
        held = overview.of(customer, now=timezone.now())
        page = self.paginate_queryset(held.rows(**asked)) or []
        return self.get_paginated_response(SubscriptionSerializer(held.states(page), many=True).data)


class SubscriptionList(Idempotent, SubscriptionPages):
    """The caller's own subscriptions."""

    @extend_schema(operation_id="subscriptions_list", parameters=[SubscriptionQuery], responses=MANY)
    def get(self, request: Request) -> Response:
        """List them, newest first."""
        return self.page(request, request.user)  # type: ignore[arg-type]

    @extend_schema(
        operation_id="subscriptions_create",
        request=SubscribeSerializer,
        responses={201: SubscriptionSerializer, **NOT_FOUND},
    )
    def post(self, request: Request) -> Response:
        """Subscribe: active when the wallet or a trial pays for it, else pending and `next` says how to pay."""
        order = SubscribeSerializer(data=request.data)
        order.is_valid(raise_exception=True)
        asked, now = dict(order.validated_data), timezone.now()
        price = catalogue.chosen(asked.pop("plan"), customer=request.user, currency=asked.pop("currency", None))  # type: ignore[arg-type]
        row = orders.subscribe(request.user, price, now=now, idempotency_key=self.idempotency_key, **asked)  # type: ignore[arg-type]
        return Response(SubscriptionSerializer(overview.one(row, now=now)).data, 201)


class UserSubscriptions(SubscriptionPages):
    """All subscriptions of a user: staff may ask for anybody's, a customer for their own."""

    @extend_schema(operation_id="users_subscriptions_list", parameters=[SubscriptionQuery], responses=MANY)
    def get(self, request: Request, user_id: int) -> Response:
        """List them, newest first."""
        if user_id != request.user.pk and not getattr(request.user, "is_staff", False):
            raise Http404
        return self.page(request, get_object_or_404(User, pk=user_id))


class OneSubscription(GenericAPIView):
    """A subscription of the caller's own; anybody else's is as good as absent."""

    serializer_class = SubscriptionSerializer
    filter_backends = ()
    queryset = Subscription.objects.none()

    def own(self) -> Subscription:
        """Return the row the address names."""
        mine = Subscription.objects.filter(customer_id=self.request.user.pk).select_related("price__plan", "customer")
        return get_object_or_404(mine, public_id=self.kwargs["public_id"])

    def answer(self) -> Response:
        """Write the subscription as it is now."""
        return Response(SubscriptionSerializer(overview.one(self.own(), now=timezone.now())).data)

    def sent(self, serializer: type[Any]) -> dict[str, Any]:
        """Return the validated body."""
        body = serializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)


class SubscriptionDetail(OneSubscription):
    """One subscription."""

    @extend_schema(operation_id="subscriptions_retrieve")
    def get(self, request: Request, public_id: str) -> Response:
        """Return it as it is at this instant, whatever the workers have or have not done."""
        refuse_unknown_parameters(request, ())
        return self.answer()

    @extend_schema(
        operation_id="subscriptions_update",
        request=PatchSubscriptionSerializer,
        responses={200: SubscriptionSerializer, **INSUFFICIENT_FUNDS},
    )
    def patch(self, request: Request, public_id: str) -> Response:
        """Change the plan, the renewal, or both at once."""
        row, asked = self.own(), self.sent(PatchSubscriptionSerializer)
        price = catalogue.current(asked["plan"], row.price.currency) if "plan" in asked else None

        def act(book: books.OpenBook) -> None:
            if "auto_renew" in asked:
                book.set_auto_renew(row, asked["auto_renew"])
            if price is not None:
                book.change_plan(row, price, when=asked.get("when", "now"))

        orders.change(row, now=timezone.now(), act=act)
        return self.answer()

    @extend_schema(operation_id="subscriptions_destroy", responses={200: SubscriptionSerializer})
    def delete(self, request: Request, public_id: str) -> Response:
        """Cancel: at the end of what is paid for, or at once where nothing is. The row stays, as the answer shows."""
        row, asked = self.own(), self.sent(CancelSerializer)
        orders.change(row, now=timezone.now(), act=lambda book: book.cancel(row, **asked))
        return self.answer()


class SubscriptionAccess(OneSubscription):
    """Whether one subscription may be used."""

    @extend_schema(operation_id="subscriptions_access", responses=AccessSerializer)
    def get(self, request: Request, public_id: str) -> Response:
        """Compute it for this instant."""
        refuse_unknown_parameters(request, ())
        return Response(AccessSerializer(overview.access(self.own(), now=timezone.now())).data)


class Cancel(Idempotent, OneSubscription):
    """POST .../cancel"""

    @extend_schema(
        operation_id="subscriptions_cancel", request=CancelSerializer, responses={200: SubscriptionSerializer}
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Cancel at the end of what is paid for, or now, then with what is unused put back if asked."""
        row, asked = self.own(), self.sent(CancelSerializer)
        orders.change(row, now=timezone.now(), act=lambda book: book.cancel(row, **asked))
        return self.answer()


class UndoCancel(Idempotent, OneSubscription):
    """POST .../undo-cancel"""

    @extend_schema(
        operation_id="subscriptions_undo_cancel", request=NothingSerializer, responses={200: SubscriptionSerializer}
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Take back a cancel that has not happened yet."""
        row, _ = self.own(), self.sent(NothingSerializer)
        orders.change(row, now=timezone.now(), act=lambda book: book.undo_cancel(row))
        return self.answer()


class Pause(Idempotent, OneSubscription):
    """POST .../pause"""

    @extend_schema(
        operation_id="subscriptions_pause", request=NothingSerializer, responses={200: SubscriptionSerializer}
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Stop an active subscription: nothing is charged, and what is paid for is kept."""
        row, _ = self.own(), self.sent(NothingSerializer)
        orders.change(row, now=timezone.now(), act=lambda book: book.pause(row))
        return self.answer()


class Resume(Idempotent, OneSubscription):
    """POST .../resume"""

    @extend_schema(
        operation_id="subscriptions_resume", request=NothingSerializer, responses={200: SubscriptionSerializer}
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Go on with a paused subscription."""
        row, _ = self.own(), self.sent(NothingSerializer)
        orders.change(row, now=timezone.now(), act=lambda book: book.resume(row))
        return self.answer()


class ChangePlan(Idempotent, OneSubscription):
    """POST .../change-plan"""

    @extend_schema(
        operation_id="subscriptions_change_plan",
        request=ChangePlanSerializer,
        responses={200: SubscriptionSerializer, **INSUFFICIENT_FUNDS},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Move to another plan, as quoted or by its name; refused whole when the wallet cannot pay for it.

        A `quote` whose amounts no longer hold is answered with 409 `quote_changed` and the new one in `quote`.
        """
        row, asked = self.own(), self.sent(ChangePlanSerializer)
        if "quote" in asked:
            quotes.accept(row, asked["quote"], now=timezone.now())
        else:
            price, when = catalogue.current(asked["plan"], row.price.currency), asked.get("when", "now")
            orders.change(row, now=timezone.now(), act=lambda book: book.change_plan(row, price, when=when))
        return self.answer()

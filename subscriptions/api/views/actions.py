"""What a customer does to a subscription by name: cancel, undo-cancel, pause, resume, change-plan."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.idempotency import Idempotent
from accounts.api.openapi import INSUFFICIENT_FUNDS
from subscriptions import orders, prices
from subscriptions.api import quotes
from subscriptions.api.requests import CancelSerializer, ChangePlanSerializer, NothingSerializer
from subscriptions.api.serializers import SubscriptionSerializer
from subscriptions.api.views.subscriptions import OneSubscription


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
            price, when = prices.current(asked["plan"], row.price.currency), asked.get("when", "now")
            orders.change(row, now=timezone.now(), act=lambda book: book.change_plan(row, price, when=when))
        return self.answer()

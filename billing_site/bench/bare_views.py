"""The views that `make bench` compares the API with: under the same middleware, they do next to nothing.

Each has the authentication of djangorestframework-simplejwt, which reads the user, and no throttle. Then it reads or
writes one row by the ORM. It is what a Django developer writes first.
"""

from django.urls import path
from django.utils import timezone
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication

from billing_site.urls import handler400, handler403, handler404, handler500
from billing_site.urls import urlpatterns as product
from events.models import Event
from subscriptions.models import Subscription

__all__ = ["handler400", "handler403", "handler404", "handler500"]


class Bare(APIView):
    """Base of the bare views."""

    authentication_classes = [JWTAuthentication]
    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]
    throttle_classes = []


class ReadRow(Bare):
    """Read one row."""

    def get(self, request: Request, public_id: str) -> Response:
        """Return three values of a subscription's row."""
        row = Subscription.objects.get(public_id=public_id, customer_id=request.user.pk)
        return Response({"active": row.status == "active", "until": row.period_end, "reason": row.status})


class WriteRow(Bare):
    """Write one row."""

    def post(self, request: Request) -> Response:
        """Insert an event and return its id."""
        row = Event.objects.create(
            customer_id=int(request.user.pk or 0), type="bench.written", subject="", data=request.data,
            effective_at=timezone.now(),
        )  # fmt: skip
        return Response({"id": row.pk}, 201)


urlpatterns = [
    path("api/bare/<str:public_id>", ReadRow.as_view()),
    path("api/bare/", WriteRow.as_view()),
    *product,
]

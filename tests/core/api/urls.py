"""Views for tests of core.api, mounted next to the real ones."""

import threading
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db import DataError, IntegrityError, OperationalError, connection
from django.http import Http404
from django.urls import path
from rest_framework import generics, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.serializers import EmailField
from accounts.models import User
from billing_site.urls import handler400, handler403, handler404, handler500, urlpatterns
from core.api.fields import TextField
from core.api.idempotency import Idempotent
from core.api.serializers import StrictSerializer
from core.errors import DomainError, Unavailable

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


class Item(StrictSerializer):
    colour = serializers.ChoiceField(choices=["red", "green"])


class Order(StrictSerializer):
    name = TextField(max_length=20)
    quantity = serializers.IntegerField(min_value=1, max_value=100, default=1)
    secret = serializers.CharField(write_only=True, required=False, max_length=3)
    items = Item(many=True, required=False)
    number = serializers.CharField(read_only=True)
    email = EmailField(required=False)


class Orders(APIView):
    permission_classes = (AllowAny,)
    authentication_classes = ()

    def post(self, request: Request) -> Response:
        form = Order(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(form.validated_data, 201)


class OutOfStock(DomainError):
    code = "insufficient_funds"
    param = "quantity"


def _sql(statement: str) -> Any:
    with connection.cursor() as cursor:
        return cursor.execute(statement)


FAULTS: dict[str, Any] = {
    "domain": lambda: _raise(OutOfStock("The wallet holds 3; 5 is needed.", balance=3)),
    "unavailable": lambda: _raise(Unavailable("Not now.")),
    "code-without-a-row": lambda: _raise(type("New", (DomainError,), {"code": "never_heard_of"})("No.")),
    "404": lambda: _raise(Http404()),
    "403": lambda: _raise(PermissionDenied()),
    "bug": lambda: 1 / 0,
    "integrity": lambda: _raise(IntegrityError("secret_constraint")),
    "data": lambda: _raise(DataError("secret value")),
    "operational": lambda: _raise(OperationalError("connection to 10.0.0.5 failed")),
    "overflow": lambda: _sql("SELECT 9223372036854775807 + 1"),
    "statement-timeout": lambda: _sql("SET LOCAL statement_timeout = 20; SELECT pg_sleep(5)"),
    "serialization": lambda: _sql("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$"),
    "deadlock": lambda: _sql("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$"),
    "lock-timeout": lambda: _sql("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '55P03'; END $$"),
}


def _raise(error: Exception) -> None:
    raise error


class Fault(APIView):
    permission_classes = (AllowAny,)
    authentication_classes = ()

    def get(self, request: Request, name: str) -> Response:
        FAULTS[name]()
        return Response()


class People(generics.ListAPIView):
    permission_classes = (AllowAny,)
    authentication_classes = ()
    queryset = User.objects.all()
    filterset_fields = ["is_active", "language"]
    empty_detail = "Nobody found"

    class serializer_class(serializers.ModelSerializer):  # noqa: N801
        class Meta:
            model = User
            fields = ["username"]


class Pay(Idempotent, APIView):
    """Records every call that reaches the view."""

    ran: ClassVar[list[Any]] = []
    lock: ClassVar[threading.Lock] = threading.Lock()
    started: ClassVar[threading.Event] = threading.Event()
    go_on: ClassVar[threading.Event] = threading.Event()

    def post(self, request: Request) -> Response:
        with self.lock:
            self.ran.append(self.idempotency_key)
        assert isinstance(request.data, dict)
        if request.data.get("slow"):
            self.started.set()
            assert self.go_on.wait(20)
        if "status" in request.data:
            return Response({"status": request.data["status"]}, int(request.data["status"]))
        if "fault" in request.data:
            FAULTS[request.data["fault"]]()
        return Response({"number": len(self.ran), "amount": request.data.get("amount")}, 201)

    def patch(self, request: Request) -> Response:
        return Response(self.post(request).data)

    def delete(self, request: Request) -> Response:
        answer = self.post(request)
        return Response(status=204) if answer.status_code == 204 else Response(answer.data)


urlpatterns = [
    path("api/test/orders", Orders.as_view()),
    path("api/test/faults/<str:name>", Fault.as_view()),
    path("api/test/people/", People.as_view()),
    path("api/test/pay", Pay.as_view()),
    *urlpatterns,
]

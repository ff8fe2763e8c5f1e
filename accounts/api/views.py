"""/api/auth/: register, log in, rotate tokens, log out, read and change your own profile."""

from typing import cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import brute_force, confirmed_address, second_factor, tokens
from accounts.api import serializers as forms
from accounts.models import User
from core.api.filters import refuse_unknown_parameters
from core.api.serializers import StrictSerializer


class OpenView(APIView):
    """A view that requires no token, and ignores one that is sent."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class Register(OpenView):
    """Register a customer."""

    throttle_scope = "register"

    @extend_schema(request=forms.RegistrationSerializer, responses={201: forms.UserSerializer}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Create a user. The name and the address must be free, and the password strong enough."""
        form = forms.RegistrationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(forms.UserSerializer(form.save()).data, 201)


class LogIn(OpenView):
    """Get tokens for a name and a password."""

    throttle_scope = "login"

    @extend_schema(request=forms.LogInSerializer, responses=forms.PairSerializer, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Return an access token (valid for minutes) and a refresh token (valid for a day, works once)."""
        form = forms.LogInSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        sent = form.validated_data
        name = sent.get("username") or sent["email"]
        now = timezone.now()
        with brute_force.one_at_a_time(request._request, {"username": name}):
            user = brute_force.check(request._request, name=name, password=sent["password"])
            second_factor.check(request._request, user, code=sent.get("code"))
            brute_force.record_success(request._request, user)
        return Response(tokens.issue(user, now=now)._asdict())


class Refresh(OpenView):
    """Get the next pair of tokens."""

    throttle_scope = "login"

    @extend_schema(request=forms.RefreshSerializer, responses=forms.PairSerializer, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair.

        The same token again within 30 seconds gets the same pair; a later use of it ends the whole session.
        """
        form = forms.RefreshSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(tokens.rotate(form.validated_data["refresh"], now=timezone.now())._asdict())


class LogOut(OpenView):
    """End one session or all sessions."""

    @extend_schema(request=forms.LogOutSerializer, responses={204: None}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """End the session of this refresh token, including its access token; with `all`, end every session."""
        form = forms.LogOutSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        tokens.end(form.validated_data["refresh"], now=timezone.now(), everywhere=form.validated_data["all"])
        return Response(status=204)


class ConfirmEmail(APIView):
    """Confirm the caller's address."""

    permission_classes = (IsAuthenticated,)
    throttle_scope = "register"

    @extend_schema(request=None, responses={204: None}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Send the link that confirms the caller's address. Nothing is sent if it is confirmed."""
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        confirmed_address.send_link(cast(User, request.user), request._request)
        return Response(status=204)


class Me(APIView):
    """The caller's own profile."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(responses=forms.UserSerializer, tags=["auth"])
    def get(self, request: Request) -> Response:
        """Return the caller's profile."""
        refuse_unknown_parameters(request, ())
        return Response(forms.UserSerializer(cast(User, request.user)).data)

    @extend_schema(request=forms.ProfileSerializer, responses=forms.UserSerializer, tags=["auth"])
    def patch(self, request: Request) -> Response:
        """Change the fields that are sent. A new password ends all sessions, including this one."""
        form = forms.ProfileSerializer(cast(User, request.user), data=request.data, context={"now": timezone.now()})
        form.is_valid(raise_exception=True)
        return Response(forms.UserSerializer(form.save()).data)

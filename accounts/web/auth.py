"""Type of the request that a view behind `login_required` gets."""

from django.http import HttpRequest

from accounts.models import User


class SignedInRequest(HttpRequest):
    """A request of a logged-in user. For annotations only: never instantiated."""

    user: User

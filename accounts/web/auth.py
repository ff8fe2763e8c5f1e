"""The request as a view behind `login_required` gets it."""

from django.http import HttpRequest

from accounts.models import User


class SignedInRequest(HttpRequest):
    """Somebody is signed in. Only an annotation: nothing makes one."""

    user: User

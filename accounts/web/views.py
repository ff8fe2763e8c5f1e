"""Sign-up, where two may ask for one name at the same moment. The other pages are allauth's own views."""

from typing import Any

from allauth.account.views import SignupView
from django.db import IntegrityError, transaction
from django.http import HttpResponse

from accounts.models import User
from accounts.registration import sorry, taken


class SignUp(SignupView):
    """allauth's sign-up; who loses a race for a name is told as if he had come later."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Create the customer and log him in."""
        try:
            with transaction.atomic():
                answer: HttpResponse = super().form_valid(form)
        except IntegrityError:
            sent = form.cleaned_data
            for field in taken(User(username=sent["username"], email=sent["email"])) or ["email"]:
                form.add_error(field, sorry(field))
            answer = self.form_invalid(form)
        return answer

"""The pages for sign-up and stopping mails. Log-in, passwords and second factors are allauth's own views."""

from typing import Any

from allauth.account.views import SignupView
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts import mail_choices
from accounts.models import User
from accounts.registration import taken_fields, taken_message


class SignUp(SignupView):
    """allauth's sign-up. The loser of a race for a name sees the usual error: the name is taken."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Create the customer and log them in."""
        try:
            with transaction.atomic():
                response: HttpResponse = super().form_valid(form)
        except IntegrityError:
            data = form.cleaned_data
            for field in taken_fields(User(username=data["username"], email=data["email"])) or ["email"]:
                form.add_error(field, taken_message(field))
            response = self.form_invalid(form)
        return response


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def stop_mails(request: HttpRequest, token: str) -> HttpResponse:
    """Stop the mails of one category, by the link in a mail: without log-in, and only by POST (RFC 8058).

    Mail programs open links to look at them, so a GET changes nothing and shows a button. They post without a cookie,
    so there is no CSRF token; the signed link is what proves the right.
    """
    found = mail_choices.read_token(token)
    if found is None:
        raise Http404
    customer, category = found
    if request.method == "POST":
        mail_choices.stop(customer, category)
    context = {"category": category.label, "has_stopped": not mail_choices.wants(customer, category)}
    return render(request, "account/stop_mails.html", context)

"""The pages for sign-up and preferences. The other account pages are allauth's own views."""

from typing import Any

from allauth.account.views import SignupView
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.registration import taken_fields, taken_message
from accounts.web.auth import SignedInRequest


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


class PreferencesForm(forms.ModelForm):
    """The settings that a customer may change."""

    class Meta:
        model = User
        fields = ["language"]
        labels = {"language": gettext_lazy("Language")}
        help_texts = {"language": gettext_lazy("Language of the site and of our emails.")}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def preferences(request: SignedInRequest) -> HttpResponse:
    """Show the settings, or save them and redirect in the chosen language."""
    form = PreferencesForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        with override(form.save().language):
            messages.success(request, _("Saved."))
            return HttpResponseRedirect(reverse("settings"), status=303)
    return render(request, "account/settings.html", {"form": form}, status=422 if form.errors else 200)

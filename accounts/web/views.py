"""Sign-up, where two may ask for one name at the same moment. The other pages are allauth's own views."""

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
from accounts.registration import sorry, taken
from accounts.web.auth import SignedInRequest


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


class PreferencesForm(forms.ModelForm):
    """What a customer may set about themselves."""

    class Meta:
        model = User
        fields = ["language"]
        labels = {"language": gettext_lazy("Language")}
        help_texts = {"language": gettext_lazy("We write to you in this language")}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def preferences(request: SignedInRequest) -> HttpResponse:
    """Show the settings, or save them and go on in the language that was chosen."""
    form = PreferencesForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        with override(form.save().language):
            messages.success(request, _("Saved."))
            return HttpResponseRedirect(reverse("settings"), status=303)
    return render(request, "account/settings.html", {"form": form}, status=422 if form.errors else 200)

"""The customer's own settings: the language of mails and pages, and the way to password and second factor."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.web.requests import SignedIn


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
def preferences(request: SignedIn) -> HttpResponse:
    """Show the settings, or save them and go on in the language that was chosen."""
    form = PreferencesForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        with override(form.save().language):
            messages.success(request, _("Saved."))
            return HttpResponseRedirect(reverse("settings"), status=303)
    return render(request, "account/settings.html", {"form": form}, status=422 if form.errors else 200)

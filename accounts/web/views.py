"""The pages for sign-up, preferences and stopping mails. The other account pages are allauth's own views."""

from typing import Any

from allauth.account.views import SignupView
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts import mail_choices, time_zones
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
    """Language and time zone."""

    class Meta:
        model = User
        fields = ["language", "time_zone"]
        labels = {"language": gettext_lazy("Language"), "time_zone": gettext_lazy("Time zone")}
        help_texts = {
            "language": gettext_lazy("Language of the site and of our emails."),
            "time_zone": gettext_lazy("For the dates and times on the site and in our emails."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual = _("Not chosen: %(zone)s") % {"zone": settings.TIME_ZONE}
        choices = [("", usual), *((name, name) for name in time_zones.NAMES)]
        self.fields["time_zone"].widget = forms.Select(choices=choices)


class MailChoicesForm(forms.Form):
    """Which mails a customer gets, of those that can be switched off."""

    mails = forms.MultipleChoiceField(
        choices=[(category.value, category.label) for category in mail_choices.OPTIONAL],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def preferences(request: SignedInRequest) -> HttpResponse:
    """Show the settings, or save language and time zone and redirect in the chosen language."""
    form = PreferencesForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        with override(form.save().language):
            messages.success(request, _("Saved."))
            return HttpResponseRedirect(reverse("settings"), status=303)
    mails = MailChoicesForm(initial={"mails": mail_choices.wanted(request.user)})
    context = {"form": form, "mails": mails}
    return render(request, "account/settings.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def choose_mails(request: SignedInRequest) -> HttpResponse:
    """Save which mails the customer gets."""
    form = MailChoicesForm(request.POST)
    if not form.is_valid():
        raise BadRequest(form.errors.as_text())
    mail_choices.choose(request.user, form.cleaned_data["mails"])
    messages.success(request, _("Saved."))
    return HttpResponseRedirect(reverse("settings"), status=303)


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

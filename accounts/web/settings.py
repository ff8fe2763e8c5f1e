"""The settings page: profile, what receipts say, language, time zone and look, mails, and logging out elsewhere."""

from typing import Any, NamedTuple

from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_http_methods

from accounts import browsers, confirmed_address, mail_choices, themes, time_zones, tokens
from accounts.models import BrowserSession, User
from accounts.web.auth import SignedInRequest, button
from core.normalization import UNSTORABLE

# How many browsers the page lists, the last seen first.
BROWSERS_SHOWN = 20


class ProfileForm(forms.ModelForm):
    """The customer's name, and what their receipts say about them."""

    # Texts of one line; an address has commas.
    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("We greet you by it in emails, and print it on receipts."),
        max_length=150,
        required=False,
    )

    class Meta:
        model = User
        fields = ["company", "address", "tax_id"]
        labels = {
            "company": gettext_lazy("Company"),
            "address": gettext_lazy("Address"),
            "tax_id": gettext_lazy("Tax ID"),
        }
        help_texts = {
            "company": gettext_lazy("For receipts."),
            "address": gettext_lazy("For receipts, on one line."),
            "tax_id": gettext_lazy("For receipts, if you have one."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["name"])
        self.fields["name"].initial = self.instance.get_full_name()
        tokens = {"name": "name", "company": "organization", "address": "street-address", "tax_id": "off"}
        for field, token in tokens.items():
            self.fields[field].widget.attrs["autocomplete"] = token

    def clean(self) -> dict[str, Any]:
        """Refuse characters that the database cannot store."""
        cleaned: dict[str, Any] = super().clean() or {}
        for field, text in cleaned.items():
            if UNSTORABLE.search(text):
                self.add_error(field, _("This text has characters that cannot be stored."))
        return cleaned

    def save(self, commit: bool = True) -> User:
        """Save the profile. The name is kept as a whole: not every name has a first and a last part."""
        user: User = self.instance
        if self.cleaned_data["name"] != user.get_full_name():
            user.first_name, user.last_name = self.cleaned_data["name"], ""
        user.save(update_fields=["first_name", "last_name", *self.Meta.fields])
        return user


class PreferencesForm(forms.ModelForm):
    """Language, time zone and look."""

    theme = forms.ChoiceField(
        label=gettext_lazy("Look"), choices=themes.CHOICES, required=False, help_text=gettext_lazy("In this browser.")
    )

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

    def save(self, commit: bool = True) -> User:
        """Save language and time zone, whatever else of the customer has changed meanwhile."""
        self.instance.save(update_fields=self.Meta.fields)
        user: User = self.instance
        return user


class MailChoicesForm(forms.Form):
    """Which mails a customer gets, of those that can be switched off."""

    mails = forms.MultipleChoiceField(
        choices=[(category.value, category.label) for category in mail_choices.OPTIONAL],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )


class Browser(NamedTuple):
    """A browser in which the customer is logged in."""

    row: BrowserSession
    name: str
    is_this: bool


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def preferences(request: SignedInRequest) -> HttpResponse:
    """Show the settings, or save language, time zone and look and redirect in the chosen language."""
    if request.method != "POST":
        return _page(request)
    form = _preferences(request, request.POST)
    if not form.is_valid():
        return _page(request, preferences=form)
    with override(form.save().language):
        messages.success(request, _("Saved."))
        response = HttpResponseRedirect(reverse("settings"), status=303)
    # A program that posts without the field leaves the look as it is.
    if "theme" in request.POST:
        themes.remember(response, form.cleaned_data["theme"])
    return response


@button("settings")
def profile(request: SignedInRequest) -> HttpResponse:
    """Save the profile."""
    form = ProfileForm(request.POST, instance=request.user)
    if not form.is_valid():
        return _page(request, profile=form)
    form.save()
    return _saved(request, _("Saved."))


@button("settings")
def choose_mails(request: SignedInRequest) -> HttpResponse:
    """Save which mails the customer gets."""
    form = MailChoicesForm(request.POST)
    if not form.is_valid():
        raise BadRequest(form.errors.as_text())
    mail_choices.choose(request.user, form.cleaned_data["mails"])
    return _saved(request, _("Saved."))


@button("settings")
def end_session(request: SignedInRequest, number: int) -> HttpResponse:
    """End the session of one of the customer's other browsers; 404 for anybody else's and for this one."""
    others = BrowserSession.objects.filter(user=request.user).exclude(session_key=request.session.session_key)
    browsers.end(get_object_or_404(others, pk=number))
    return _saved(request, _("That browser is logged out."))


@button("settings")
def log_out_elsewhere(request: SignedInRequest) -> HttpResponse:
    """End all sessions of the customer and all tokens of the API but the session of this browser."""
    browsers.end_others(request.user, request.session.session_key or "")
    tokens.end_all(request.user, now=timezone.now())
    update_session_auth_hash(request, request.user)
    return _saved(request, _("You are logged out everywhere else."))


def _saved(request: SignedInRequest, message: str) -> HttpResponse:
    messages.success(request, message)
    return HttpResponseRedirect(reverse("settings"), status=303)


def _preferences(request: SignedInRequest, data: Any = None) -> PreferencesForm:
    return PreferencesForm(data, instance=request.user, initial={"theme": themes.theme_of(request)})


def _page(request: SignedInRequest, **sent: forms.Form | forms.ModelForm) -> HttpResponse:
    """Show the settings: `sent` is the form with errors, if there is one."""
    context = {
        "profile": ProfileForm(instance=request.user),
        "preferences": _preferences(request),
        "mails": MailChoicesForm(initial={"mails": mail_choices.wanted(request.user)}),
        "browsers": [
            Browser(each, browsers.in_words(each.user_agent), each.session_key == request.session.session_key)
            for each in browsers.of(request.user, now=timezone.now())[:BROWSERS_SHOWN]
        ],
        "is_confirmed": confirmed_address.is_confirmed(request.user),
        "has_second_factor": Authenticator.objects.filter(user=request.user).exists(),
        "form": next(iter(sent.values()), None),
        **sent,
    }
    return render(request, "account/settings.html", context, status=422 if sent else 200)

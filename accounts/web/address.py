"""The pages that change the address of an account: asking for it, and confirming it by the link in the mail."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import address_change, confirmed_address, registration
from accounts.names import MAX_LENGTH, check_email, normalize_email
from accounts.web.auth import SignedInRequest, button, page_of_button


class AddressForm(forms.Form):
    """The new address."""

    email = forms.CharField(
        label=gettext_lazy("New email address"),
        help_text=gettext_lazy("We send a link to it. Your address changes when you open the link."),
        max_length=MAX_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"required": gettext_lazy("Fill in this field.")},
    )

    def __init__(self, *args: Any, current: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.current = current

    def clean_email(self) -> str:
        """Return the address in its stored form."""
        address = normalize_email(self.cleaned_data["email"])
        check_email(address)
        if address == self.current:
            raise forms.ValidationError(_("This is your address already."), code="same")
        return address


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required
def change(request: SignedInRequest) -> HttpResponse:
    """Show the address, or send the link to a new one."""
    form = AddressForm(request.POST or None, current=request.user.email)
    if request.method == "POST" and form.is_valid():
        if limited := ratelimit.consume_or_429(request, action="manage_email", user=request.user):
            response: HttpResponse = limited
            return response
        address_change.ask(request.user, form.cleaned_data["email"])
        messages.success(request, _("We sent a link to %(email)s. Open it to change your address.") % form.cleaned_data)
        return HttpResponseRedirect(reverse("settings"), status=303)
    return render(request, "account/email.html", {"form": form}, status=422 if form.errors else 200)


@button("settings")
def send_link(request: SignedInRequest) -> HttpResponse:
    """Send the link that confirms the address of the account, and return to the page with the button."""
    if limited := ratelimit.consume_or_429(request, action="manage_email", user=request.user):
        response: HttpResponse = limited
        return response
    confirmed_address.send_link(request.user, request)
    messages.success(
        request, _("We sent a link to %(email)s. Open it, then come back.") % {"email": request.user.email}
    )
    return HttpResponseRedirect(page_of_button(request), status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def confirm(request: SignedInRequest, token: str) -> HttpResponse:
    """Ask whether to change the address, and change it. Mail programs open links, so a GET changes nothing."""
    asked = address_change.read(request.user, token)
    if asked and request.method == "POST":
        try:
            address_change.confirm(request.user, asked, now=timezone.now())
        except registration.Taken:
            messages.error(request, registration.taken_message("email"))
        else:
            messages.success(request, _("Your address is %(email)s now.") % {"email": asked.after})
        return HttpResponseRedirect(reverse("settings"), status=303)
    return render(request, "account/email_change.html", {"change": asked}, status=200 if asked else 410)

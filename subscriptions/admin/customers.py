"""What staff do for a customer: block, unblock, change the address, and help with the log-in.

Each act has a review page. billing_site.admin adds them to the page of users.
"""

from datetime import datetime
from typing import Any, cast

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import registration, second_factor
from accounts.admin import UserAdmin
from accounts.models import User
from accounts.names import check_email, normalize_email
from core import dates
from core.errors import DomainError
from core.rehearsal import NOTHING, Fact, Facts
from events.admin.review import ActForm, ActPages, Result
from events.admin.trace import ReasonedMixin, reason_field
from events.models import Mail
from subscriptions import closure
from subscriptions.admin import facts as customer_facts


class CustomerForm(ActForm):
    """An act on a customer, with its reason."""

    reason = reason_field()

    @property
    def person(self) -> User:
        """The customer as they were when the page was asked for."""
        person: User = self.row
        return person

    def customer(self) -> User:
        """Return the customer."""
        return self.person

    def facts(self, *, now: datetime) -> Facts:
        """Return the address and the last mail about the log-in."""
        email = User.objects.values_list("email", flat=True).get(pk=self.person.pk)
        return {"email": Fact(gettext("Email address"), email), "mail": _last_mail(self.person)}


class ClosureForm(CustomerForm):
    """Blocking or unblocking, with what it stops or revives."""

    permission = "accounts.block_user"

    def facts(self, *, now: datetime) -> Facts:
        """Return whether the account is open, and what it has in each currency."""
        is_open = User.objects.values_list("is_active", flat=True).get(pk=self.person.pk)
        facts = {"account": Fact(gettext("Account"), gettext("open") if is_open else gettext("blocked"))}
        return facts | customer_facts.of_all_books(self.person, now=now)


class BlockForm(ClosureForm):
    """The blocking of a customer."""

    title, kind = _("Block"), "user.block"
    effect = _(
        "The customer cannot log in, and all sessions end. Metered use stops at once and nothing is renewed. What is "
        "paid in advance runs to the end of its period. Money stays on the balance."
    )

    @classmethod
    def obstacle(cls, row: User) -> str:
        """Return why there is nothing to block."""
        return "" if row.is_active else gettext("This customer is blocked already.")

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Close the account, or find that it is closed."""
        is_news = User.objects.values_list("is_active", flat=True).get(pk=self.person.pk)
        closure.close(self.person, now=now)
        return Result(gettext("%s is blocked.") % self.person, is_news)


class UnblockForm(ClosureForm):
    """The end of a block."""

    title, kind = _("Unblock"), "user.unblock"
    effect = _("The customer can log in again. What the block has stopped runs again, if the balance can pay for it.")

    @classmethod
    def obstacle(cls, row: User) -> str:
        """Return why there is nothing to unblock."""
        return gettext("This customer is not blocked.") if row.is_active else ""

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Open the account, or find that it is open."""
        is_news = not User.objects.values_list("is_active", flat=True).get(pk=self.person.pk)
        closure.reopen(self.person, now=now)
        return Result(gettext("%s is not blocked any more.") % self.person, is_news)


class AddressForm(CustomerForm):
    """A new email address for a customer who has lost the old one."""

    title, kind, permission = _("Change email address"), "user.address", "accounts.help_user"
    effect = _("The new address replaces the old one for log-in and for a new password. We write to both addresses.")

    email = forms.CharField(
        label=_("New email address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    field_order = ["form_key", "seen_act", "email", "reason"]

    def clean_email(self) -> str:
        """Return the address as it is stored. Refuse an invalid one and the one that the customer has."""
        address = normalize_email(self.cleaned_data["email"])
        check_email(address)
        return address

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Replace the address and write to both."""
        person, address = User.objects.get(pk=self.person.pk), self.cleaned_data["email"]
        if person.email.lower() == address:
            raise DomainError(gettext("The customer has this address already. Enter another one."), param="email")
        try:
            registration.replace_address(person, address, now=now)
        except registration.Taken as error:
            raise DomainError(gettext("Another user has this address. Enter another one."), param="email") from error
        return Result(gettext("The email address is %s now.") % address)


class SecondFactorForm(CustomerForm):
    """The reset of a second factor that its owner has lost."""

    title, kind, permission = _("Reset second factor"), "user.second_factor", "accounts.help_user"
    effect = _(
        "Two-step verification and its recovery codes are deleted, all sessions end, and we write to the customer. "
        "Make sure first that it is the customer who asks."
    )

    @classmethod
    def obstacle(cls, row: User) -> str:
        """Return why there is nothing to reset. A page of many acts may have read that with the customer."""
        known: bool | None = getattr(row, "has_second_factor", None)
        has_one = Authenticator.objects.filter(user=row).exists() if known is None else known
        return "" if has_one else gettext("This customer has no second factor.")

    def facts(self, *, now: datetime) -> Facts:
        """Return whether there is a second factor, too."""
        has_one = Authenticator.objects.filter(user=self.person).exists()
        facts = {"factor": Fact(gettext("Two-step verification"), gettext("on") if has_one else gettext("off"))}
        return facts | super().facts(now=now)

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Delete it, or find that it is gone."""
        is_news = second_factor.reset(self.person, now=now)
        return Result(gettext("The second factor of %s was reset.") % self.person, is_news)


class PasswordLinkForm(CustomerForm):
    """The mail with the link for a new password. Staff never see the link."""

    title, kind, permission = _("Send link for a new password"), "user.password_link", "accounts.help_user"
    effect = _("We send the link to the customer's address. The password stays as it is until it is used.")

    @classmethod
    def obstacle(cls, row: User) -> str:
        """Return why a link would be of no use."""
        if not row.email:
            return gettext("This customer has no email address.")
        return "" if row.is_active else gettext("This customer is blocked. Unblock the account first.")

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Send the mail."""
        person = User.objects.get(pk=self.person.pk)
        registration.send_password_link(person)
        return Result(gettext("The link was sent to %s.") % person.email)


def _last_mail(person: User) -> Fact:
    """Return when the last mail about the log-in was written to a customer, with its subject."""
    mails = Mail.objects.filter(customer=person, kind=Mail.LOGIN).order_by("-id")
    last = mails.first()
    text = f"{last.subject}, {dates.moment(last.created_at)} ({last.public_id})" if last else NOTHING
    return Fact(gettext("Last email about the log-in"), text)


class PasswordForm(AdminPasswordChangeForm):
    """A new password that a superuser sets, with the reason."""

    reason = reason_field()


class CustomerActs(ReasonedMixin, UserAdmin, ActPages):
    """Users, with what staff do for them. Nobody acts on oneself, and only superusers on staff."""

    change_form_template = "admin/act_links.html"
    change_password_form = PasswordForm
    acts = {
        "block": BlockForm,
        "unblock": UnblockForm,
        "change-address": AddressForm,
        "reset-second-factor": SecondFactorForm,
        "send-password-link": PasswordLinkForm,
    }

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the address for its own page, which tells the customer."""
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "email"] if obj else fields

    def links(self, request: HttpRequest, row: User) -> list[tuple[str | Promise, str]]:
        """Return the acts that are possible on this user."""
        return super().links(request, row) if may_act_on(request, row) else []

    def act(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Show and carry out an act on a user whom this member of staff may act on."""
        if not self.may_act(request, self.acts[name]):
            raise PermissionDenied
        if not may_act_on(request, get_object_or_404(User, pk=pk)):
            raise PermissionDenied
        return super().act(request, pk, name)


def may_act_on(request: HttpRequest, person: User) -> bool:
    """Return whether somebody may act on a user: never on oneself, and on staff only as a superuser."""
    by = cast(User, request.user)
    return person != by and (by.is_superuser or not (person.is_staff or person.is_superuser))

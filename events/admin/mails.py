"""The admin of mails: what was sent to whom and why not, with acts to send again and to give up."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core import dates
from core.admin import ReadOnlyAdmin
from core.letters import Letter
from core.rehearsal import NOTHING, Fact, Facts
from events.admin.review import ActAdmin, ActForm, Result
from events.admin.trace import TracedMixin
from events.mails import delivery, kinds, message, page
from events.models import Mail, UnreachableAddress

# CSS class of a state; any other has none.
TONES = {"sent": "ok", "waiting": "info", "parked": "warn"}


class KindFilter(admin.SimpleListFilter):
    """Filters by the kind, under its title."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the kinds that there are, and that of the log-in."""
        return [(name, kinds.title_of(name)) for name in [*(kind.name for kind in kinds.every()), Mail.LOGIN]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mail]) -> QuerySet[Mail]:
        """Return the mails of the chosen kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


class MailForm(ActForm):
    """An act on a mail, with its reason."""

    permission = "events.change_mail"
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_("Only staff read it."))

    @property
    def mail(self) -> Mail:
        """The mail as it was when the page was asked for."""
        mail: Mail = self.row
        return mail

    def facts(self, *, now: datetime) -> Facts:
        """Return the state of the mail, and to whom and how often it is sent."""
        mail = Mail.objects.select_related("customer").get(pk=self.mail.pk)
        to = mail.customer.email if mail.customer and mail.kind != Mail.LOGIN else mail.address
        return {
            "state": Fact(gettext("Status"), mail.get_state_display()),
            "to": Fact(gettext("Address"), to or NOTHING),
            "sent": Fact(gettext("Sent"), dates.moment(mail.sent_at) if mail.sent_at else NOTHING, quiet=True),
            "resends": Fact(gettext("Sent again by staff"), str(mail.resends), quiet=True),
            "reason": Fact(gettext("Reason"), gettext(mail.reason) if mail.reason else NOTHING, quiet=True),
        }


class SendAgainForm(MailForm):
    """The sending of a mail that is closed, once more if it was sent."""

    title, kind = _("Send again"), "mail.send_again"
    effect = _("The mail is written anew, as things are now, and goes to the address that the customer has now.")

    @classmethod
    def obstacle(cls, row: Mail) -> str:
        """Return why it cannot be sent again."""
        if row.can_be_resent:
            return ""
        if row.kind == Mail.LOGIN:
            return gettext("This mail had a link or code for the log-in, which is not kept. It cannot be sent again.")
        return gettext("This mail waits to be sent.")

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Let it wait to be sent, or find that it does."""
        is_news = delivery.resend(self.mail, now=now)
        return Result(gettext("The mail will be sent."), is_news)


class GiveUpForm(MailForm):
    """The end of a mail that waits or is parked."""

    title, kind = _("Give up"), "mail.give_up"
    effect = _("The mail will not be sent.")

    @classmethod
    def obstacle(cls, row: Mail) -> str:
        """Return why there is nothing to give up."""
        is_live = row.state in (Mail.State.WAITING, Mail.State.PARKED)
        return "" if is_live else gettext("This mail does not wait to be sent.")

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Give it up, or find that it is closed."""
        is_news = delivery.give_up(self.mail, reason=f"Given up by {by}.")
        return Result(gettext("The mail was given up."), is_news)


@admin.register(Mail)
class MailAdmin(ActAdmin):
    """Mails, filtered by state and kind, searched by customer and address."""

    list_display = [
        "public_id", "kind_title", "customer", "address", "subject", "state_tag", "reason_shown", "created_at",
        "sent_at",
    ]  # fmt: skip
    list_filter = ["state", KindFilter, "created_at"]
    list_select_related = ["customer"]
    search_fields = ["=public_id", "=address", "customer__username", "customer__email"]
    search_help_text = _("Id of the mail, its address, or the customer's name or email")
    actions = ["send_again", "give_up"]
    acts = {"send-again": SendAgainForm, "give-up": GiveUpForm}
    # A mail of the log-in may have a link that opens the account.
    exclude = ["text", "html", "kind"]
    readonly_fields = ["kind_title", "rendered"]

    def get_urls(self) -> list[URLPattern]:
        """Add the page with the HTML of a mail."""
        own = path("<int:pk>/html/", self.admin_site.admin_view(self.html_view), name="events_mail_html")
        return [own, *super().get_urls()]

    def html_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the HTML of a mail, rendered again."""
        mail = get_object_or_404(Mail, pk=pk) if self.has_view_permission(request) else None
        letter = mail and _rendered_again(mail)
        if not letter:
            raise Http404
        return page.show(letter.html)

    @admin.display(description=_("status"), ordering="state")
    def state_tag(self, mail: Mail) -> SafeString:
        """Return the state as a coloured tag."""
        return format_html('<span class="tag {}">{}</span>', TONES.get(mail.state, ""), mail.get_state_display())

    @admin.display(description=_("kind"), ordering="kind")
    def kind_title(self, mail: Mail) -> str:
        """Return the title of the kind; its name if no app declares it any more."""
        return kinds.title_of(mail.kind)

    @admin.display(description=_("reason"))
    def reason_shown(self, mail: Mail) -> str:
        """Return the reason in the reader's language; what a mail server said stays as it is."""
        return gettext(mail.reason) if mail.reason else ""

    @admin.display(description=_("The mail, rendered again"))
    def rendered(self, mail: Mail) -> SafeString | str:
        """Return subject and text as they would be sent now, and a link to the HTML."""
        letter = _rendered_again(mail)
        if letter is None:
            return gettext("It cannot be shown: it had a link for the log-in, or there is nothing to tell any more.")
        link = reverse("admin:events_mail_html", args=[mail.pk])
        return format_html(
            '<p><b>{}</b></p><pre>{}</pre><p><a href="{}" target="_blank">{}</a></p>',
            letter.subject, letter.text, link, gettext("The email as HTML"),
        )  # fmt: skip

    @admin.action(description=_("Send again"), permissions=["act"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        """Send the chosen mails again that do not wait."""
        now = timezone.now()
        done = self._act(request, queryset, lambda mail: delivery.resend(mail, now=now), "sent again")
        self._tell(request, done, ngettext("%d mail will be sent.", "%d mails will be sent.", done) % done)

    @admin.action(description=_("Give up: do not send"), permissions=["act"])
    def give_up(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        """Give up the chosen mails that wait or are parked."""
        reason = f"Given up by {request.user}."
        done = self._act(request, queryset, lambda mail: delivery.give_up(mail, reason=reason), "given up")
        self._tell(request, done, ngettext("%d mail was given up.", "%d mails were given up.", done) % done)

    def _act(self, request: HttpRequest, mails: QuerySet[Mail], act: Callable[[Mail], bool], word: str) -> int:
        """Do it with each mail, log it where it changed something, and return how many those were."""
        done = 0
        for mail in mails.select_related("customer").order_by("pk"):
            with transaction.atomic():
                if act(mail):
                    self.log_change(request, mail, word)
                    done += 1
        return done

    def _tell(self, request: HttpRequest, done: int, text: str) -> None:
        self.message_user(request, text, messages.SUCCESS if done else messages.WARNING)


def _rendered_again(mail: Mail) -> Letter | None:
    """Return the mail as it would be sent now; None for one of the log-in, an unknown kind, or nothing to tell."""
    known = {kind.name for kind in kinds.every()}
    if mail.customer is None or mail.kind not in known:
        return None
    return message.compose(mail, mail.customer, now=mail.sent_at or timezone.now())


@admin.register(UnreachableAddress)
class UnreachableAddressAdmin(TracedMixin, ReadOnlyAdmin):
    """Addresses at which mails bounced. Staff who may delete them clear those that work again."""

    list_display = ["address", "reason", "bounced_at"]
    search_fields = ["address"]
    actions = ["clear"]

    @admin.action(description=_("Send to these addresses again"), permissions=["act"])
    def clear(self, request: HttpRequest, queryset: QuerySet[UnreachableAddress]) -> None:
        """Delete the chosen rows, and log it."""
        chosen = list(queryset)
        for row in chosen:
            self.log_change(request, row, "cleared")
            row.delete()
        count = len(chosen)
        text = ngettext("%d address gets mails again.", "%d addresses get mails again.", count) % count
        self.message_user(request, text, messages.SUCCESS)

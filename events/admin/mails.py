"""The admin of mails: what was sent to whom and why not, with acts to send again and to give up."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core import dates
from core.admin import ReadOnlyAdmin
from core.letters import Letter
from core.rehearsal import NOTHING, Fact, Facts
from events.admin.chosen import ChosenPages
from events.admin.review import ActForm, Result
from events.admin.trace import reason_field
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
    reason = reason_field()

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
class MailAdmin(ChosenPages, ReadOnlyAdmin):
    """Mails, filtered by state and kind, searched by customer and address."""

    list_display = [
        "public_id", "kind_title", "customer", "address", "subject", "state_tag", "reason_shown", "created_at",
        "sent_at",
    ]  # fmt: skip
    list_filter = ["state", KindFilter, "created_at"]
    list_select_related = ["customer"]
    search_fields = ["=public_id", "=address", "customer__username", "customer__email"]
    search_help_text = _("Id of the mail, its address, or the customer's name or email")
    acts = {"send-again": SendAgainForm, "give-up": GiveUpForm}
    bulk = ["send-again", "give-up"]
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


def _rendered_again(mail: Mail) -> Letter | None:
    """Return the mail as it would be sent now; None for one of the log-in, an unknown kind, or nothing to tell."""
    known = {kind.name for kind in kinds.every()}
    if mail.customer is None or mail.kind not in known:
        return None
    return message.compose(mail, mail.customer, now=mail.sent_at or timezone.now())


class ClearForm(ActForm):
    """The end of the block of an address at which mails bounced."""

    title, kind = _("Send to this address again"), "unreachableaddress.clear"
    permission = "events.change_unreachableaddress"
    effect = _("Mails to this address are sent again. One that comes back blocks it once more.")

    reason = reason_field()

    def facts(self, *, now: datetime) -> Facts:
        """Return whether mails are sent to the address, and why not."""
        row = UnreachableAddress.objects.filter(pk=self.row.pk).first()
        facts = {"sent": Fact(gettext("Emails to this address"), gettext("held back") if row else gettext("go out"))}
        return facts | ({"why": Fact(gettext("They came back"), row.reason or NOTHING)} if row else {})

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Delete the row, or find that it is gone."""
        deleted, _rows = UnreachableAddress.objects.filter(pk=self.row.pk).delete()
        return Result(gettext("Emails to %s are sent again.") % self.row.address, is_news=bool(deleted))

    def page(self) -> str:
        """Return the list: the row has no page any more."""
        return reverse("admin:events_unreachableaddress_changelist")


@admin.register(UnreachableAddress)
class UnreachableAddressAdmin(ChosenPages, ReadOnlyAdmin):
    """Addresses at which mails bounced, with the act that lets mails be sent to them again."""

    list_display = ["address", "reason", "bounced_at"]
    search_fields = ["address"]
    acts = {"clear": ClearForm}
    bulk = ["clear"]

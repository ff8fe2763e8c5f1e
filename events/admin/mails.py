"""The admin of mails: what was sent to whom and why not, with actions to send again and to give up."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.admin import ReadOnlyAdmin
from core.letters import Letter
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
        return [*((kind.name, kind.title) for kind in kinds.every()), (Mail.LOGIN, _("Log-in"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mail]) -> QuerySet[Mail]:
        """Return the mails of the chosen kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
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
    # A mail of the log-in may have a link that opens the account.
    exclude = ["text", "html"]
    readonly_fields = ["rendered"]

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
        known = {kind.name: kind.title for kind in kinds.every()}
        return str(known.get(mail.kind, mail.kind))

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
        done = [mail for mail in mails.order_by("pk") if act(mail)]
        for mail in done:
            self.log_change(request, mail, word)
        return len(done)

    def _tell(self, request: HttpRequest, done: int, text: str) -> None:
        self.message_user(request, text, messages.SUCCESS if done else messages.WARNING)


def _rendered_again(mail: Mail) -> Letter | None:
    """Return the mail as it would be sent now; None for one of the log-in, an unknown kind, or nothing to tell."""
    known = {kind.name for kind in kinds.every()}
    if mail.customer is None or mail.kind not in known:
        return None
    return message.compose(mail, mail.customer, now=mail.sent_at or timezone.now())


@admin.register(UnreachableAddress)
class UnreachableAddressAdmin(ReadOnlyAdmin):
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

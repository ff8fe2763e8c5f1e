"""Pages on which staff act on a row in two steps: fill in a form, see before -> after, confirm.

What is sent twice, by a double click, a reload or two people, is done once: acts about one customer happen one after
the other, a page that was sent before is known by its key, and whoever decides by what another has changed meanwhile
is asked again. Each act is recorded in the transaction that carries it out (events.staff_acts).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext

from accounts.models import User
from core import rehearsal, retry
from core.addresses import client_address
from core.admin import ReadOnlyAdmin
from core.errors import DomainError
from core.ids import new_id
from core.rehearsal import Change, Facts
from events import act_titles, staff_acts
from events.admin.trace import TracedMixin
from events.staff_acts import Author


class Result(NamedTuple):
    """What came of an act, in a sentence for staff. `is_news` is False if it had been done before.

    `level` is that of the message: a warning if the act has not brought what staff wanted.
    """

    text: str
    is_news: bool = True
    level: int = messages.SUCCESS


class Changed(Exception):
    """The row is not as staff saw it. The form has taken over the new figures: show them and ask again."""


class ActForm(forms.Form):
    """The form of one act on `row`."""

    title: ClassVar[str | Promise]
    # What the act does, in a sentence or two above the form.
    effect: ClassVar[str | Promise]
    # The kind of the act in the record, such as `payment.refund`.
    kind: ClassVar[str]
    # Who may do it; empty: who may change the row.
    permission: ClassVar[str] = ""
    # False if nobody can know before what it changes: then the form itself is confirmed.
    has_review: ClassVar[bool] = True

    form_key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    # The id of the last act that staff could see when the page was made.
    seen_act = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init_subclass__(cls, **options: Any) -> None:
        """Register the title of the kind."""
        super().__init_subclass__(**options)
        if hasattr(cls, "kind") and hasattr(cls, "title"):
            act_titles.register(cls.kind, cls.title)

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data)
        self.row = row
        self.initial["form_key"], self.initial["seen_act"] = new_id("form"), self._last_act()

    @classmethod
    def obstacle(cls, row: Any) -> str:
        """Return why the act is not possible for this row; empty if it is."""
        return ""

    def customer(self) -> User | None:
        """Return the customer whom it is about."""
        return getattr(self.row, "customer", None)

    def prepare(self, author: Author, *, now: datetime) -> None:
        """Do what needs the network and must be known for the record, before the act. No transaction is open.

        What it may change even if the act is never recorded is recorded here first.
        """

    def before(self, *, now: datetime) -> Facts:
        """Return what was so before the act."""
        return self.facts(now=now)

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Do it, or find that it was done. Raises DomainError, or Changed.

        It runs in a transaction that a rehearsal rolls back: it may call no remote gateway and send nothing.
        """
        raise NotImplementedError

    def page(self) -> str:
        """Return the address that staff come to when it is done; empty for the page of the row."""
        return ""

    def finish(self, result: Result, *, now: datetime) -> Result:
        """Do what needs the network, once the act is committed, and say what came of it."""
        return result

    def facts(self, *, now: datetime) -> Facts:
        """Return what the act may change, as it is in the database now."""
        raise NotImplementedError

    def logged(self) -> Sequence[Any]:
        """Return the rows that it is recorded for, the main one first."""
        return [self.row]

    def add_refusal(self, error: DomainError) -> None:
        """Show the error of the domain at the field that it names, or above the form."""
        self.add_error(error.param if error.param in self.fields else None, error.detail)

    def answers(self) -> list[tuple[str, str]]:
        """Return what was filled in: label and text of each visible field that is not blank."""
        filled = []
        for field in self.visible_fields():
            value = field.value()
            choices = dict(getattr(field.field, "choices", ()))
            if value:
                filled.append((str(field.label), str(choices.get(value, value))))
        return filled

    def check_that_nobody_has_acted(self) -> None:
        """Raise Changed if somebody has acted on the customer since the page was made."""
        seen, last = self.cleaned_data.get("seen_act"), self._last_act()
        if seen is not None and seen != last:
            self.take_over(seen_act=last)
            raise Changed(gettext("Somebody else has acted meanwhile. Check what is so now, then decide."))

    def take_over(self, **fields: int) -> None:
        """Go on with these figures in the hidden fields."""
        self.cleaned_data |= fields
        self.data = dict(self.data.items()) | {name: str(value) for name, value in fields.items()}

    def _last_act(self) -> int:
        act = staff_acts.last([self.row], self.customer())
        return act.pk if act else 0


class SeenForm(ActForm):
    """An act that staff decide by a figure, in minor units. If it has changed since they saw it, they decide again."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        self.initial["seen"] = self.figure()

    def figure(self) -> int:
        """Return the figure as it is in the database now."""
        raise NotImplementedError

    def changed(self, error: DomainError) -> Changed:
        """Take over the new figure and return the exception to raise: `error` says that it has changed."""
        self.take_over(seen=self.figure())
        return Changed(error.detail)


def complete(form: ActForm, *, author: Author, now: datetime) -> Result:
    """Carry out and record an act whose form is valid, with what needs the network before and after it.

    Raises DomainError, Changed. Call it with no transaction open.
    """
    form.prepare(author, now=now)
    return form.finish(perform(form, author=author, now=now), now=now)


@retry.retried
def perform(form: ActForm, *, author: Author, now: datetime) -> Result:
    """Carry out and record an act whose form is valid, in one transaction. Raises DomainError, Changed."""
    with transaction.atomic():
        staff_acts.hold([form.row], form.customer())
        key = form.cleaned_data.get("form_key") or ""
        if key and (before := staff_acts.find(key)):
            return Result(before.result, is_news=False)
        form.check_that_nobody_has_acted()
        was = form.before(now=now)
        result = form.carry_out(author.user, now=now)
        if result.is_news:
            staff_acts.record(
                form.kind, form.logged(), author=author, key=key, customer=form.customer(),
                reason=form.cleaned_data.get("reason") or "", result=result.text,
                changes=rehearsal.compare(was, form.facts(now=now)),
            )  # fmt: skip
    return result


class ActPages(TracedMixin, admin.ModelAdmin):
    """The pages on which staff act on rows; `acts` has the form of each act by its name in the URL."""

    acts: Mapping[str, type[ActForm]] = {}
    change_form_template = "admin/act_links.html"

    def get_urls(self) -> list[URLPattern]:
        """Add a page for each act."""
        pages = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(self.act), {"name": name}, name=self._url_name(name))
            for name in self.acts
        ]
        return [*pages, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Render the page with links to the acts that are possible now."""
        row = options.get("obj")
        links = self.links(request, row) if row is not None else []
        return super().render_change_form(request, context | {"decisions": links}, *args, **options)

    def may_act(self, request: HttpRequest, form: type[ActForm]) -> bool:
        """Return whether the user may do this act."""
        user = cast(User, request.user)
        return user.has_perm(form.permission or f"{self.opts.app_label}.change_{self.opts.model_name}")

    def links(self, request: HttpRequest, row: Any) -> list[tuple[str | Promise, str]]:
        """Return title and address of each act that is possible now and permitted. Nobody acts on what is their own."""
        if getattr(row, "customer_id", None) == request.user.pk:
            return []
        return [
            (form.title, reverse(f"admin:{self._url_name(name)}", args=[row.pk]))
            for name, form in self.acts.items()
            if self.may_act(request, form) and not form.obstacle(row)
        ]

    def act(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Show the form of an act, then what it changes, and carry it out when it is confirmed."""
        if not self.may_act(request, self.acts[name]):
            raise PermissionDenied
        row, changes = self.get_queryset(request).filter(pk=pk).first(), None
        if row is None:
            # The act may have deleted it: a second click comes to the list.
            if self._was_done(request, self.acts[name]):
                return HttpResponseRedirect(reverse(f"admin:{self._url_name('changelist')}"), status=303)
            raise Http404
        form, back = self.acts[name](request.POST or None, row=row), self.back(row)
        if form.customer() == request.user:
            raise PermissionDenied
        if "confirmed" in request.POST and self._was_done(request, self.acts[name]):
            return HttpResponseRedirect(back, status=303)
        if request.method == "POST" and form.is_valid() and "change" not in request.POST:
            if "confirmed" in request.POST and self._is_done(request, form):
                return HttpResponseRedirect(form.page() or back, status=303)
            changes = self._rehearsed(request, form) if form.has_review and not form.errors else None
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": form.title, "row": row, "back": back,
            "form": form, "customer": form.customer(), "changes": changes, "answers": form.answers() if changes else [],
            "obstacle": form.obstacle(row),
            "facts": [fact for fact in form.facts(now=timezone.now()).values() if not fact.quiet],
        }  # fmt: skip
        return TemplateResponse(request, "admin/act.html", context)

    def back(self, row: Any) -> str:
        """Return the address of the page that staff come back to."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])

    def _is_done(self, request: HttpRequest, form: ActForm) -> bool:
        """Carry the act out and tell staff. Return False if it was refused: the form then says why."""
        now = timezone.now()
        author = Author(cast(User, request.user), client_address(request))
        try:
            result = complete(form, author=author, now=now)
        except Changed as error:
            # The form goes on with the new figures, and its table is shown again.
            self.message_user(request, str(error), messages.WARNING)
            return False
        except DomainError as error:
            form.add_refusal(error)
            return False
        if result.is_news:
            self.message_user(request, result.text, result.level)
        else:
            self._say_that_it_was_done(request, result.text)
        return True

    def _was_done(self, request: HttpRequest, form: type[ActForm]) -> bool:
        """Tell staff if the page was sent before: what it asks for may not be possible a second time."""
        done = staff_acts.find(request.POST.get("form_key") or "")
        if done is None or done.kind != form.kind:
            return False
        self._say_that_it_was_done(request, done.result)
        return True

    def _say_that_it_was_done(self, request: HttpRequest, result: str) -> None:
        self.message_user(request, gettext("This was done before. %s") % result, messages.WARNING)

    def _rehearsed(self, request: HttpRequest, form: ActForm) -> list[Change] | None:
        """Return what the act would change; None if it is refused: the form then says why."""
        by, now = cast(User, request.user), timezone.now()
        try:
            return rehearsal.rehearse(lambda: form.carry_out(by, now=now), lambda: form.facts(now=now))
        except Changed as error:
            self.message_user(request, str(error), messages.WARNING)
            return self._rehearsed(request, form)
        except DomainError as error:
            form.add_refusal(error)
            return None

    def _url_name(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name.replace('-', '_')}"


class ActAdmin(ActPages, ReadOnlyAdmin):
    """An admin of rows that change by acts only."""

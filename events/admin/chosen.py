"""Acts on several rows of a list at once: chosen in the list, reviewed before -> after, confirmed with one reason.

Each row is an act of its own, in its own transaction and with its own record: one that is refused stops no other.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext

from accounts.models import User
from core import rehearsal
from core.addresses import client_address
from core.errors import DomainError
from core.ids import new_id
from core.rehearsal import Change
from events import staff_acts
from events.admin.review import ActForm, ActPages, Changed, complete
from events.admin.trace import reason_field
from events.staff_acts import Author

# Rows of one review: a page of a list.
MOST = 50
DIGITS = 18


class ChosenForm(forms.Form):
    """The reason for the act on all rows. `seen` has the last act on each row that staff could see, as `row:act`."""

    reason = reason_field()
    form_key = forms.CharField(max_length=40, widget=forms.HiddenInput)
    seen = forms.CharField(max_length=MOST * 2 * (DIGITS + 1), widget=forms.HiddenInput)

    def clean_seen(self) -> dict[int, int]:
        """Return the last act by row."""
        pairs = [pair.split(":") for pair in self.cleaned_data["seen"].split(",")]
        if len(pairs) > MOST or not all(len(pair) == 2 and all(map(_is_id, pair)) for pair in pairs):
            raise forms.ValidationError(gettext("Choose the rows in the list again."))
        return {int(row): int(act) for row, act in pairs}


class Line(NamedTuple):
    """A row of the review: what would change, or why nothing can be done."""

    row: Any
    href: str
    changes: list[Change]
    obstacle: str


class ChosenPages(ActPages):
    """An admin whose list offers those of its acts that ask for nothing but a reason; `bulk` has their names."""

    bulk: Sequence[str] = ()

    def get_urls(self) -> list[URLPattern]:
        """Add a page for each act on chosen rows."""
        pages = [
            path(
                f"chosen/{name}/", self.admin_site.admin_view(self.act_on_chosen), {"name": name},
                name=f"{self._url_name(name)}_chosen",
            )
            for name in self.bulk
        ]  # fmt: skip
        return [*pages, *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., Any], str, str] | None]:
        """Offer the acts that the reader may do. Choosing one changes nothing: it leads to its review."""
        offered: dict[str, tuple[Callable[..., Any], str, str] | None] = dict(super().get_actions(request))
        for name in self.bulk:
            form = self.acts[name]
            if self.may_act(request, form):
                offered[name] = (partial(_lead_to_review, name=name), name, cast(str, form.title))
        return offered

    def act_on_chosen(self, request: HttpRequest, name: str) -> HttpResponse:
        """Show the chosen rows, then what the act changes of each, and carry it out when it is confirmed."""
        act = self.acts[name]
        if not self.may_act(request, act):
            raise PermissionDenied
        if request.method == "POST":
            form = ChosenForm(request.POST)
            rows = self._rows(request, form.cleaned_data["seen"] if form.is_valid() else _ids_in(request.POST))
        else:
            rows = self._rows(request, _ids_in(request.GET))
            seen = ",".join(f"{row.pk}:{_last_act(act, row)}" for row in rows)
            form = ChosenForm(initial={"form_key": new_id("form"), "seen": seen})
        if not rows:
            raise Http404
        is_ready = form.is_bound and form.is_valid() and "change" not in request.POST
        if is_ready and "confirmed" in request.POST:
            self._carry_out(request, act, rows, form.cleaned_data)
            return HttpResponseRedirect(self._list(), status=303)
        now = timezone.now()
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": act.title, "form": form,
            "effect": act.effect, "back": self._list(), "is_ready": is_ready,
            "lines": [self._line(request, act, row, form, now=now) for row in rows],
        }  # fmt: skip
        return TemplateResponse(request, "admin/chosen.html", context)

    def _rows(self, request: HttpRequest, pks: Iterable[int]) -> list[Any]:
        return list(self.get_queryset(request).filter(pk__in=list(pks)[:MOST]).order_by("pk"))

    def _line(self, request: HttpRequest, act: type[ActForm], row: Any, form: ChosenForm, *, now: datetime) -> Line:
        """Return what the act would change of a row; nothing is kept."""
        href = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        filled = _filled(act, row, reason=form["reason"].value() or "–", key="", seen=_last_act(act, row))
        if obstacle := _obstacle(request, filled):
            return Line(row, href, [], obstacle)
        by = cast(User, request.user)
        try:
            changes = rehearsal.rehearse(lambda: filled.carry_out(by, now=now), lambda: filled.facts(now=now))
        except (DomainError, Changed) as error:
            return Line(row, href, [], str(error))
        return Line(row, href, [change for change in changes if change.is_change], "")

    def _carry_out(self, request: HttpRequest, act: type[ActForm], rows: list[Any], sent: dict[str, Any]) -> None:
        """Act on each row, and tell staff what was done, and why the others were left."""
        now, author = timezone.now(), Author(cast(User, request.user), client_address(request))
        done, before, left = [], 0, []
        # The act on one row is the last one about its customer for the next row.
        own: dict[tuple[User | None, int | None], int] = {}
        for row in rows:
            key, seen = f"{sent['form_key']}-{row.pk}", sent["seen"].get(row.pk)
            about = (getattr(row, "customer", None), seen)
            filled = _filled(act, row, reason=sent["reason"], key=key, seen=own.get(about, seen))
            was_done = staff_acts.find(key) is not None
            try:
                if not was_done and (obstacle := _obstacle(request, filled)):
                    raise DomainError(obstacle)
                result = complete(filled, author=author, now=now)
            except (DomainError, Changed) as error:
                left.append(f"{act.title}, {row}: {error}")
                continue
            if about[0] is not None and (recorded := staff_acts.find(key)):
                own[about] = recorded.pk
            if result.is_news:
                done.append(f"{act.title}, {row}: {result.text}")
            else:
                before += 1
        if done:
            words = ngettext("%(title)s: %(count)d row done.", "%(title)s: %(count)d rows done.", len(done))
            self.message_user(request, words % {"title": act.title, "count": len(done)}, messages.SUCCESS)
        if before:
            words = ngettext(
                "%(title)s: %(count)d row was done before.", "%(title)s: %(count)d rows were done before.", before
            )
            self.message_user(request, words % {"title": act.title, "count": before}, messages.WARNING)
        for text in done:
            self.message_user(request, text, messages.INFO)
        for text in left:
            self.message_user(request, text, messages.WARNING)

    def _list(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


def _lead_to_review(
    model_admin: ChosenPages, request: HttpRequest, chosen: QuerySet[Any], *, name: str
) -> HttpResponse:
    """Lead to the review of an act on the rows that were chosen in the list."""
    pks = ",".join(str(pk) for pk in chosen.order_by("pk").values_list("pk", flat=True)[:MOST])
    page = reverse(f"admin:{model_admin._url_name(name)}_chosen")
    return HttpResponseRedirect(f"{page}?{urlencode({'rows': pks})}", status=303)


def _filled(act: type[ActForm], row: Any, *, reason: str, key: str, seen: int | None) -> ActForm:
    """Return the form of an act on one row, filled in."""
    form = act({"reason": reason[:200], "form_key": key, "seen_act": seen}, row=row)
    form.full_clean()
    return form


def _obstacle(request: HttpRequest, form: ActForm) -> str:
    """Return why the act is not possible, or not for this member of staff; empty if it is."""
    if form.customer() == request.user:
        return gettext("Nobody acts on what is their own.")
    return form.obstacle(form.row)


def _last_act(act: type[ActForm], row: Any) -> int:
    """Return the last act that staff can see now."""
    seen: int = act(row=row).initial["seen_act"]
    return seen


def _ids_in(data: Any) -> list[int]:
    """Return the rows that an address or a form names. Whatever is no id is left out."""
    named = data.get("rows", "") or ",".join(pair.partition(":")[0] for pair in data.get("seen", "").split(","))
    return [int(each) for each in named.split(",")[:MOST] if _is_id(each)]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= DIGITS

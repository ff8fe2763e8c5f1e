"""The texts of a plan: the form of a new plan, and the act that changes those of another, with a review."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import IntegrityError, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.errors import DomainError
from core.rehearsal import NOTHING, Fact, Facts
from events.admin.review import ActForm, Result
from events.admin.trace import reason_field
from subscriptions.models import Plan

TEXTS = (
    "name", "name_ru", "code", "description", "description_ru", "features", "features_ru", "is_highlighted",
    "needs_confirmed_email",
)  # fmt: skip


# What still can be read on a card of the price list.
MOST_LINES, LONGEST_LINE = 30, 200


class Lines(forms.CharField):
    """A list of strings, edited with one string per line: at most MOST_LINES of LONGEST_LINE characters."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        """Return the list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the lines as a list."""
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def validate(self, value: Any) -> None:
        """Refuse what no card of the price list could show."""
        super().validate(value)
        if len(value) > MOST_LINES or any(len(line) > LONGEST_LINE for line in value):
            said = gettext("At most %(lines)d lines of %(characters)d characters.")
            raise forms.ValidationError(said % {"lines": MOST_LINES, "characters": LONGEST_LINE})

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the values as lists."""
        return bool((initial or []) != self.to_python(data))


class PlanForm(forms.ModelForm):
    """Edit the features as lines; they are stored as lists."""

    features = Lines(required=False, label=_("Features"), help_text=_("One per line."))
    features_ru = Lines(required=False, label=_("Features in Russian"), help_text=_("One per line."))

    def clean_code(self) -> str:
        """Refuse a code that another plan has, whatever its case."""
        code: str = self.cleaned_data["code"]
        other = Plan.objects.exclude(pk=self.instance.pk).filter(code__iexact=code).first()
        if other is not None:
            words = {"plan": other.name, "code": other.code}
            said = _("The plan %(plan)s has the code %(code)s. Upper and lower case count as the same.")
            raise forms.ValidationError(said % words)
        return code


class PlanTexts(PlanForm):
    """The texts of a plan that there is."""

    class Meta:
        model = Plan
        fields = TEXTS


class TextsForm(ActForm):
    """New texts of a plan, which is the row. Everybody who has the plan reads them too."""

    title, kind, permission = _("Change texts"), "plan.change", "subscriptions.change_plan"
    effect = _("Customers read the new texts at once, those too who have the plan. Prices stay as they are.")

    reason = reason_field()

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        self.texts = PlanTexts(data, instance=Plan.objects.get(pk=row.pk))
        self.fields = {**self.texts.fields, **self.fields}
        self.order_fields(["form_key", "seen_act", *TEXTS, "reason"])
        self.initial = {**self.texts.initial, **self.initial}

    def clean(self) -> dict[str, Any]:
        """Return the texts; features as lists."""
        cleaned: dict[str, Any] = super().clean() or {}
        for name, errors in self.texts.errors.items():
            if name not in self.errors:
                self.add_error(None if name == NON_FIELD_ERRORS else name, list(errors))
        return cleaned | getattr(self.texts, "cleaned_data", {})

    def answers(self) -> list[tuple[str, str]]:
        """Return the reason only: the texts stand in the table before -> after."""
        return [(str(self.fields["reason"].label), str(self["reason"].value()))]

    def facts(self, *, now: datetime) -> Facts:
        """Return the texts."""
        plan = Plan.objects.get(pk=self.row.pk)
        labels = {name: str(self.fields[name].label or name) for name in TEXTS}
        return {
            name: Fact(label, _text(getattr(plan, name)), quiet=name not in ("name", "code"))
            for name, label in labels.items()
        }

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Write them, or find that they are so. Raises DomainError if somebody has taken the code at this moment."""
        new: dict[str, Any] = {name: self.cleaned_data[name] for name in TEXTS}
        plan = Plan.objects.get(pk=self.row.pk)
        if all(getattr(plan, name) == value for name, value in new.items()):
            return Result(gettext("The texts of %s are so already.") % plan, is_news=False)
        for name, value in new.items():
            setattr(plan, name, value)
        try:
            with transaction.atomic():
                plan.save(update_fields=TEXTS)
        except IntegrityError as error:
            raise DomainError(gettext("Another plan has this code. Enter another one."), param="code") from error
        return Result(gettext("The texts of %s are changed.") % plan)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return (" · ".join(value) if isinstance(value, list) else str(value)) or NOTHING

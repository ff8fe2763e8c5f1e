"""Serializers that refuse what they do not know by name, so that no typing error passes unnoticed."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.settings import api_settings

# Names listed in one answer, and characters repeated of each: an answer must not grow with the request.
MOST_NAMES = 20
MOST_CHARACTERS = 60
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
NUMBERS = (serializers.IntegerField, serializers.DecimalField)
WHOLE = api_settings.NON_FIELD_ERRORS_KEY


class StrictSerializer(serializers.Serializer):
    """A field that is not declared, or is not for the client to set, is an error that names it."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated values; unknown fields are reported together with all other errors."""
        unknown = self._unknown(data) | self._no_numbers(data) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            found = error.detail if isinstance(error.detail, dict) else {WHOLE: error.detail}
            raise ValidationError({**self._explained(found, data), **unknown}) from None
        if unknown:
            raise ValidationError(unknown)
        return value

    def _unknown(self, data: Mapping[Any, Any]) -> dict[str, list[ErrorDetail]]:
        allowed = [name for name, field in self.fields.items() if not field.read_only]
        return unknown_names(data, allowed)

    def _no_numbers(self, data: Mapping[Any, Any]) -> dict[str, list[ErrorDetail]]:
        """Refuse the texts that Python takes for numbers and JSON does not: 1_000, full-width digits, spaces."""
        odd = [
            name
            for name, field in self.fields.items()
            if isinstance(field, NUMBERS) and isinstance(sent := data.get(name), str) and not NUMBER.fullmatch(sent)
        ]
        said = _("%(name)s is a number, such as 10; you sent: %(sent)s")
        return {
            name: [ErrorDetail(said % {"name": name, "sent": shortened(data[name])}, code="invalid")] for name in odd
        }

    def _explained(self, errors: Mapping[str, Any], data: Any) -> dict[str, Any]:
        """Add to each plain message what was sent and, for a choice, what is allowed. Secrets are never repeated."""
        explained = dict(errors)
        for name, messages in errors.items():
            field = self.fields.get(name)
            if field is None or not isinstance(data, Mapping) or not isinstance(messages, list):
                continue
            explained[name] = [_explain(message, field, data.get(name)) for message in messages]
        return explained


def _explain(message: Any, field: serializers.Field, sent: Any) -> Any:
    if not isinstance(message, ErrorDetail) or message.code in ("required", "null", "blank"):
        return message
    parts = [str(message)]
    allowed = _choices(field)
    if allowed:
        parts.append(_("Allowed: %s.") % ", ".join(allowed))
    if (
        not isinstance(field, serializers.ChoiceField)
        and not field.write_only
        and isinstance(sent, str | int | float | bool)
        and str(sent)[:20] not in parts[0]
    ):
        parts.append(_("You sent: %s") % shortened(sent))
    return ErrorDetail(" ".join(parts), code=message.code)


def _choices(field: serializers.Field) -> list[str]:
    if isinstance(field, serializers.BooleanField):
        return ["true", "false"]
    return [str(choice) for choice in field.choices] if isinstance(field, serializers.ChoiceField) else []


def shortened(value: object) -> str:
    """Return what a client sent, cut so that the answer stays small."""
    text = str(value)
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "..."


def unknown_names(given: Iterable[Any], allowed: Iterable[str]) -> dict[str, list[ErrorDetail]]:
    """Return one error for each given name that is not allowed, with the nearest allowed one and the whole list."""
    known = sorted(allowed)
    strangers = [shortened(name) for name in given if name not in known][:MOST_NAMES]
    return {name: [ErrorDetail(_said(name, known), code="unknown_field")] for name in strangers}


def _said(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    said = _("%(name)s is not a field you can send here.") % {"name": name}
    if near:
        said += " " + _("Did you mean %s?") % near[0]
    return said + " " + (_("Allowed: %s.") % ", ".join(known) if known else _("Nothing is allowed here."))

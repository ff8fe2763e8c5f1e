"""Serializers that refuse unknown fields by name, so that no typing error goes unnoticed."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.settings import api_settings

# At most this many names in one answer, and this many characters of each: an answer must not grow with the request.
MOST_NAMES = 20
MOST_CHARACTERS = 60
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
NUMBERS = (serializers.IntegerField, serializers.DecimalField)
NON_FIELD = api_settings.NON_FIELD_ERRORS_KEY


class StrictSerializer(serializers.Serializer):
    """A serializer that rejects each undeclared or read-only field that a client sends."""

    # What OpenAPI is to say about fields that go together (core.api.schema_details). `validate` holds it.
    schema_rules: ClassVar[Sequence[Mapping[str, Any]]] = ()

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated values; report unknown fields together with all other errors."""
        refused = self._unknown(data) | self._bad_numbers(data) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            errors = error.detail if isinstance(error.detail, dict) else {NON_FIELD: error.detail}
            raise ValidationError({**self._add_details(errors, data), **refused}) from None
        if refused:
            raise ValidationError(refused)
        return value

    def _unknown(self, data: Mapping[Any, Any]) -> dict[str, list[ErrorDetail]]:
        allowed = [name for name, field in self.fields.items() if not field.read_only]
        return unknown_names(data, allowed)

    def _bad_numbers(self, data: Mapping[Any, Any]) -> dict[str, list[ErrorDetail]]:
        """Return errors for strings that only Python reads as numbers: with 1_000, full-width digits or spaces."""
        names = [
            name
            for name, field in self.fields.items()
            if isinstance(field, NUMBERS) and isinstance(sent := data.get(name), str) and not NUMBER.fullmatch(sent)
        ]
        message = _("%(name)s must be a number, for example 10. You sent: %(sent)s")
        return {
            name: [ErrorDetail(message % {"name": name, "sent": shortened(data[name])}, code="invalid")]
            for name in names
        }

    def _add_details(self, errors: Mapping[str, Any], data: Any) -> dict[str, Any]:
        """Add to each message what was sent and, for a choice, what is allowed. Secrets are never repeated."""
        detailed = dict(errors)
        for name, messages in errors.items():
            field = self.fields.get(name)
            if field is None or not isinstance(data, Mapping) or not isinstance(messages, list):
                continue
            detailed[name] = [_add_detail(message, field, data.get(name)) for message in messages]
        return detailed


def _add_detail(message: Any, field: serializers.Field, sent: Any) -> Any:
    if not isinstance(message, ErrorDetail) or message.code in ("required", "null", "blank"):
        return message
    parts = [str(message)]
    allowed = _choices(field)
    if allowed:
        parts.append(_("Allowed: %s.") % ", ".join(allowed))
    if (
        not isinstance(field, serializers.ChoiceField)
        and not field.write_only
        and isinstance(sent, str | int | float | Decimal | bool)
        and str(sent)[:20] not in parts[0]
    ):
        parts.append(_("You sent: %s") % shortened(sent))
    return ErrorDetail(" ".join(parts), code=message.code)


def _choices(field: serializers.Field) -> list[str]:
    if isinstance(field, serializers.BooleanField):
        return ["true", "false"]
    return [str(choice) for choice in field.choices] if isinstance(field, serializers.ChoiceField) else []


def shortened(value: object) -> str:
    """Return a client's value as text, cut to MOST_CHARACTERS."""
    text = str(value)
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "..."


def unknown_names(given: Iterable[Any], allowed: Iterable[str]) -> dict[str, list[ErrorDetail]]:
    """Return one error per given name that is not allowed, with the closest allowed name and the whole list."""
    known = sorted(allowed)
    unknown = [shortened(name) for name in given if name not in known][:MOST_NAMES]
    return {name: [ErrorDetail(_unknown_name_message(name, known), code="unknown_field")] for name in unknown}


def _unknown_name_message(name: str, known: list[str]) -> str:
    similar = difflib.get_close_matches(name, known, 1)
    message = _("Unknown field: %(name)s.") % {"name": name}
    if similar:
        message += " " + _("Did you mean %s?") % similar[0]
    return message + " " + (_("Allowed: %s.") % ", ".join(known) if known else _("No fields are allowed here."))

"""What a program sends with a payment to find it again, and the pages to which its customer goes back."""

import re
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import TextField
from core.api.schema_details import TEXT
from core.api.serializers import StrictSerializer, shortened
from payments import return_urls

MOST_KEYS = 20
LONGEST_KEY = 40
LONGEST_VALUE = 500
KEY = re.compile(rf"[A-Za-z0-9_.-]{{1,{LONGEST_KEY}}}", re.ASCII)


class ReturnUrlField(TextField):
    """A page of the caller's program, of an origin that the operator allows."""

    def to_internal_value(self, data: Any) -> str:
        """Return the URL; fail if customers may not be sent there."""
        url = super().to_internal_value(data)
        if reason := return_urls.refusal(url):
            raise serializers.ValidationError(reason, code="url_not_allowed")
        return url


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": MOST_KEYS,
        "propertyNames": {"pattern": f"^{KEY.pattern}$"},
        "additionalProperties": {"type": "string", "maxLength": LONGEST_VALUE, "pattern": TEXT},
        "examples": [{"cart": "42"}],
    }
)
class MetadataField(serializers.DictField):
    """Texts by key, kept as they are."""

    child = TextField(max_length=LONGEST_VALUE, allow_blank=True)
    default_error_messages = {
        "too_many": _("Send at most {most} keys. You sent {sent}."),
        "key": _("A key has 1 to 40 letters, digits, '.', '_' or '-'. You sent {sent}."),
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Return the texts; fail for too many keys, or one that is not allowed."""
        if isinstance(data, dict):
            if len(data) > MOST_KEYS:
                self.fail("too_many", most=MOST_KEYS, sent=len(data))
            for key in data:
                if not isinstance(key, str) or not KEY.fullmatch(key):
                    self.fail("key", sent=shortened(key))
            # DRF would turn numbers into texts.
            wrong = [key for key in data if not isinstance(data[key], str)]
            if wrong:
                raise serializers.ValidationError(dict.fromkeys(wrong, _("Send a text.")))
        values: dict[str, str] = super().to_internal_value(data)
        return values


class ReferencesSerializer(StrictSerializer):
    """Base of the requests that start a payment: what the program wants back."""

    success_url = ReturnUrlField(
        max_length=return_urls.LONGEST,
        required=False,
        help_text="Where the customer goes after paying, with `payment_id`, `status` and `client_reference_id` added.",
    )
    cancel_url = ReturnUrlField(
        max_length=return_urls.LONGEST, required=False, help_text="Where the customer goes without paying."
    )
    client_reference_id = TextField(max_length=200, required=False, help_text="Your own reference, such as a cart.")
    metadata = MetadataField(
        required=False, help_text="Up to 20 texts by key, given back as they are. No secrets: staff see them."
    )


class GivenReferencesSerializer(serializers.Serializer):
    """Base of a payment in an answer: what the program sent with it."""

    success_url = serializers.CharField(help_text="Empty: our page of the payment.")
    cancel_url = serializers.CharField(help_text="Empty: our page of the payment.")
    client_reference_id = serializers.CharField()
    metadata = serializers.DictField(child=serializers.CharField())

"""Writes answers: JSON, in which an amount stays what it is."""

from decimal import Decimal
from typing import Any

from rest_framework import renderers
from rest_framework.utils.encoders import JSONEncoder


class ExactEncoder(JSONEncoder):
    """DRF's own encoder writes a Decimal as a float, and 1342.10 would become 1342.1 or worse."""

    def default(self, obj: Any) -> Any:
        """Return what JSON can hold in place of `obj`."""
        return str(obj) if isinstance(obj, Decimal) else super().default(obj)


class JSONRenderer(renderers.JSONRenderer):
    """The only renderer of the API."""

    encoder_class = ExactEncoder

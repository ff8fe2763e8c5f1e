"""Render responses as JSON without losing digits of an amount."""

from decimal import Decimal
from typing import Any

from rest_framework import renderers
from rest_framework.utils.encoders import JSONEncoder


class ExactEncoder(JSONEncoder):
    """Write a Decimal as a string. DRF's encoder may write a float: 1342.10 would become 1342.1 or worse."""

    def default(self, obj: Any) -> Any:
        """Return a JSON value for `obj`."""
        return str(obj) if isinstance(obj, Decimal) else super().default(obj)


class JSONRenderer(renderers.JSONRenderer):
    """The API's only renderer."""

    encoder_class = ExactEncoder

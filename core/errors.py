"""Base classes of all domain errors.

A domain error has a stable `code`; billing_site/error_codes.py maps codes to HTTP. Nothing here knows about HTTP.
"""

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """A request that the rules refuse. `detail` says what was sent and what is allowed."""

    code = "refused"
    # The request parameter at fault, if there is one.
    param: str | None = None

    def __init__(self, detail: str, *, param: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        if param is not None:
            self.param = param
        # More members for the API's answer, such as {"state": "confirmed"}.
        self.extra: Mapping[str, Any] = extra


class Unavailable(DomainError):
    """The database or a gateway is unavailable. Nothing was done; the caller may try again."""

    code = "unavailable"

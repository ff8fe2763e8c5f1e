"""What every domain error of the house is made of.

A domain error carries a stable `code`; billing_site/errors.py maps codes to HTTP. Nothing here knows HTTP.
"""

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """Something a caller asked for that the rules refuse. Says what was sent and what is allowed."""

    code = "refused"
    # The request's parameter at fault, when there is one.
    param: str | None = None

    def __init__(self, detail: str, *, param: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        if param is not None:
            self.param = param
        # Further members for the answer, such as {"state": "confirmed"}.
        self.extra: Mapping[str, Any] = extra


class Unavailable(DomainError):
    """The database or a gateway cannot answer just now. Nothing was done; the same call may be made again."""

    code = "unavailable"

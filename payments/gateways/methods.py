"""A payment method that a gateway keeps for later charges."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A payment method that the gateway keeps. We store no more of it than this."""

    gateway_id: str
    # `Visa`, `MIR`, `SBP`; the last four digits, if it has any; the last day it can be used, for cards.
    brand: str = ""
    last4: str = ""
    expires_on: datetime | None = None
    # The gateway's id of its owner, where it has one.
    owner: str = ""
    # False once the gateway does not keep it any more.
    is_kept: bool = True

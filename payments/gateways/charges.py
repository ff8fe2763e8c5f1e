"""A charge of a saved payment method while the customer is away: what is asked for, and what a decline means."""

from dataclasses import dataclass
from enum import StrEnum

# The code of a permanent GatewayError: the gateway does not keep the payment method any more.
METHOD_GONE = "method_gone"
# The failure code of an attempt that never reached its gateway.
NOT_MADE = "not_made"


class Decline(StrEnum):
    """Why a charge of a saved method failed, as far as the next step depends on it."""

    # It may work later: too little money, a limit, a bank that was down. Also for a code that we do not know.
    SOFT = "soft"
    # It will not work with this method: stolen, expired, closed, or the customer has forbidden such charges.
    HARD = "hard"
    # The bank wants the customer to confirm, and the gateway has no page for that.
    AUTHENTICATION = "authentication"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRequest:
    """A request to charge a saved method. `amount` is in minor units of `currency`."""

    # Our payment's public id. It is sent once: without an answer, the charge is looked for by this id.
    idempotency_key: str
    # The gateway's ids of the method and of its owner ("" where it has none).
    method: str
    owner: str
    amount: int
    currency: str
    description: str
    # Our page of the payment, to which the bank sends the customer back after a confirmation.
    return_url: str
    # Our public id of the customer, and an address for receipts.
    customer: str = ""
    email: str = ""

"""What comes after a payment at a gateway: refunds, disputes and payouts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RefundState(StrEnum):
    """The state of a refund at the gateway. A word that we do not know is `PENDING`: we log it and keep asking."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """A request to refund part or all of the payment `gateway_id`. `amount` is in minor units of `currency`."""

    # Our refund's public id.
    idempotency_key: str
    gateway_id: str
    amount: int
    currency: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSnapshot:
    """The gateway's answer about a refund, also about one that somebody made on the gateway's own pages."""

    gateway_id: str
    state: RefundState
    failure_code: str = ""
    # Minor units of `currency`, where known.
    amount: int | None = None
    currency: str = ""
    # Our id that came with the request. Empty for a refund that we did not ask for.
    idempotency_key: str = ""
    # The payment's gateway id. A list may leave it out of a refund that has our id.
    payment: str = ""
    # When it was made at the gateway. For lists of refunds.
    created_at: datetime | None = None


class DisputeState(StrEnum):
    """The state of a dispute at the gateway: `OPEN` while nobody has decided, and also for a word we do not know."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeSnapshot:
    """The gateway's answer about a dispute: the bank takes back `amount` of a payment. All amounts in minor units."""

    gateway_id: str
    # The gateway id of the payment.
    payment: str
    state: DisputeState
    amount: int
    currency: str
    # The gateway's word for the reason, and until when the seller may answer.
    reason: str = ""
    answer_by: datetime | None = None
    # Whether the gateway has taken the money out already. It may ask first, and then take it or not.
    is_withdrawn: bool = True
    # What the gateway keeps for the dispute, less what it has returned of that; None if it does not say.
    fee: int | None = None
    fee_currency: str = ""
    # When it was opened. For lists of disputes.
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutSnapshot:
    """Money that the gateway has sent to the seller's bank account, in minor units."""

    gateway_id: str
    amount: int
    currency: str
    arrived_at: datetime
    # False if the bank sent it back.
    is_paid: bool = True

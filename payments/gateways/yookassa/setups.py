"""Saving a card without a payment at YooKassa: `POST /v3/payment_methods`, confirmed on a page of YooKassa's.

Its id is that of the method. YooKassa makes no list of them and keeps no metadata of ours: a request whose answer was
lost is repeated with its key, which lasts longer than the page.
"""

from collections.abc import Mapping
from typing import Any

import structlog

from payments.gateways.methods import SetupRequest, SetupSnapshot, SetupState
from payments.gateways.sessions import Session
from payments.gateways.yookassa import client, snapshots

log = structlog.get_logger(__name__)

# What the status of a payment method means while it is being saved (PaymentMethodStatus).
STATES = {"pending": SetupState.OPEN, "active": SetupState.SAVED, "inactive": SetupState.ENDED}


def body(request: SetupRequest) -> dict[str, Any]:
    """Return the body of the request. Cards can be saved this way in every shop, accounts of SBP only in some."""
    return {"type": "bank_card", "confirmation": {"type": "redirect", "return_url": request.return_url}}


def page(found: Mapping[str, Any], request: SetupRequest) -> Session:
    """Return the page of a method that was just created. Raises GatewayError, not permanent, if it has none."""
    snapshot = of_method(found)
    confirmation = found.get("confirmation")
    url = confirmation.get("confirmation_url") if isinstance(confirmation, dict) else None
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        if snapshot.state is SetupState.OPEN:
            raise client.unreadable("a payment method without a page")
        # It was confirmed or refused meanwhile, so it has no page any more. Its state is asked for next.
        url = request.return_url
    return Session(gateway_id=snapshot.gateway_id, confirmation_url=url, expires_at=request.expires_at)


def of_method(found: Mapping[str, Any]) -> SetupSnapshot:
    """Return how the saving of a method stands. Raises GatewayError, not permanent, if the object makes no sense."""
    method, status = snapshots.method(found), str(found.get("status") or "")
    state = STATES.get(status)
    if state is None:
        log.error("yookassa_status_unknown", payment_method=method.gateway_id, status=status)
    if state is not SetupState.SAVED:
        return SetupSnapshot(gateway_id=method.gateway_id, state=state or SetupState.OPEN)
    saved = SetupState.SAVED if method.is_kept else SetupState.ENDED
    return SetupSnapshot(gateway_id=method.gateway_id, state=saved, method=method if method.is_kept else None)

"""URLs of the payments API, and a helper that reads its errors."""

from typing import Any

CHECKOUT = "/api/payments/create-checkout-session"
CONFIRM = "/api/payments/confirm-payment"
CANCEL = "/api/payments/cancel-payment"
LIST = "/api/payments/"
TOP_UP = "/api/v1/payment"


def problem(answer: Any) -> tuple[int, str, list[str | None]]:
    """Return the status, the error code and the parameters named in the errors."""
    body = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"], [error["param"] for error in body["errors"]]

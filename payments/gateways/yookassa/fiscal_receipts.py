"""Data of the receipts that Russian law 54-FZ asks for. YooKassa sends it to the seller's cash register.

Off unless YOOKASSA_VAT_CODE is set. The receipt has one item: what the payment is for.
"""

from typing import Any

from django.conf import settings

from ledger.money import Money
from payments.gateways.errors import GatewayError

# Codes of VAT rates and tax systems, payment subjects and modes, from the chapter on receipts of its documentation.
VAT_CODES = range(1, 13)
TAX_SYSTEMS = range(1, 7)
SUBJECTS = {"service", "payment", "commodity", "job", "intellectual_activity", "property_right", "composite", "another"}
MODES = {"full_payment", "full_prepayment", "partial_prepayment", "advance", "partial_payment", "credit"}
# The longest name of an item.
LONGEST = 128


def are_on() -> bool:
    """Tell whether receipt data is sent."""
    return bool(settings.YOOKASSA_VAT_CODE)


def data(*, description: str, money: Money, email: str) -> dict[str, Any]:
    """Return the request's member `receipt`, or nothing if receipts are off.

    Raises GatewayError, permanent, if there is no address to send the receipt to.
    """
    if not are_on():
        return {}
    if not email:
        raise GatewayError("A receipt needs the customer's email address.", permanent=True, code="email_missing")
    item = {
        "description": (description or str(settings.SITE_NAME))[:LONGEST],
        "quantity": "1.00",
        "amount": {"value": money.plain(), "currency": money.currency},
        "vat_code": int(settings.YOOKASSA_VAT_CODE),
        "payment_subject": settings.YOOKASSA_PAYMENT_SUBJECT,
        "payment_mode": settings.YOOKASSA_PAYMENT_MODE,
    }
    receipt: dict[str, Any] = {"customer": {"email": email}, "items": [item]}
    if settings.YOOKASSA_TAX_SYSTEM:
        receipt["tax_system_code"] = int(settings.YOOKASSA_TAX_SYSTEM)
    return {"receipt": receipt}


def problems() -> list[str]:
    """Return what is wrong with the settings of receipts, a line each."""
    if not are_on():
        return (
            ["YOOKASSA_TAX_SYSTEM is set without YOOKASSA_VAT_CODE: no receipt would be sent"]
            if settings.YOOKASSA_TAX_SYSTEM
            else []
        )
    found = []
    if not _is_one_of(settings.YOOKASSA_VAT_CODE, VAT_CODES):
        found.append("YOOKASSA_VAT_CODE must be a number from 1 to 12")
    if settings.YOOKASSA_TAX_SYSTEM and not _is_one_of(settings.YOOKASSA_TAX_SYSTEM, TAX_SYSTEMS):
        found.append("YOOKASSA_TAX_SYSTEM must be a number from 1 to 6")
    if settings.YOOKASSA_PAYMENT_SUBJECT not in SUBJECTS:
        found.append(f"YOOKASSA_PAYMENT_SUBJECT must be one of {', '.join(sorted(SUBJECTS))}")
    if settings.YOOKASSA_PAYMENT_MODE not in MODES:
        found.append(f"YOOKASSA_PAYMENT_MODE must be one of {', '.join(sorted(MODES))}")
    return found


def _is_one_of(text: str, numbers: range) -> bool:
    return text.isascii() and text.isdecimal() and int(text) in numbers
